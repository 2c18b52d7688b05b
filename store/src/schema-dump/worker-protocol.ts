/** The part of the SQL reference that is told and not listed: how a worker in any language works. Its example is run by a test. */
export const PROTOCOL = `# The SQL contract

A store is one Postgres schema, here \`jobqueue\`. Its functions are the contract: whoever can call them can enqueue and
work, in any language. This page is made from the comments of the functions, views and tables themselves.

* All time is the database's. Instants in JSON are ISO 8601 with a zone; durations are seconds, or milliseconds where a
  name ends in \`_ms\`.
* Ids and lease tokens are 64-bit integers: keep them as strings where numbers lose digits.
* Every call is one statement and works behind a pooler in transaction mode. \`claim\` needs READ COMMITTED, the default.
* Queues are \`a-z 0-9 . _ -\`, at most 63. Payloads and results are JSON of at most 1 MiB.

## A worker, in order

1. **Register** with a \`boot_id\` that is new for every process. The lease of the worker starts now, for
   \`lease_seconds\`. It covers all jobs of the worker.
2. **Claim** up to as many jobs as you have free slots, with the queues in the order you serve them. Nothing comes back:
   wait a little (about a second, with jitter), or until a hint arrives on a channel that \`hint_channel('NAME')\` names, one for
   each of your queues and one for \`*\`.
   A worker that has several jobs at once runs one with \`last_chance\` alone: it gives back the others, claims nothing until
   the end of that one is acknowledged, and says \`last_chances => false\` while it has others. One job at a time: nothing to do.
3. **Heartbeat** every third of the lease, from something that the handlers cannot block. It renews the lease only while
   your main loop turns: send \`"renew": false\` when it does not. Count \`lease_ms\` from when you *sent* the heartbeat, on
   a monotonic clock, and stop all work before it is over. No row: the lease is lost, go on at 7.
   \`cancel_ids\` names jobs to abort: end them with \`acknowledge_cancel\`.
4. **Run** each job by its \`kind\`. Abort it when \`timeout_ms\` is over (null: never) and fail it: a minute later the
   store hands it on. Jobs of a kind that you do not know go back with \`return_unstarted\`.
5. **End** every attempt with the exact pair of id and lease token: \`complete\`, \`fail\`, \`snooze\` or
   \`return_unstarted\`, many in one call if you like. The answer names the ids whose lease was lost: somebody else has the
   job, so drop the outcome, and never turn it into a failure. When no answer comes, repeat the call: what it had done
   counts as done.
6. **Sweep** every few seconds: \`recover_stale(100)\` hands on the jobs of workers that were lost, \`release_deferred()\` jobs
   whose dependencies ended unseen; \`due_schedules\` and \`fire_schedule\` if you can read cron. About once an hour
   \`maintain()\`. All may be called from everywhere at once.
7. When a call raises **JQ001**, or a heartbeat gives no row: abort all handlers, drop their outcomes, register again under a
   new \`boot_id\`.
8. **Leave**: stop claiming, say so with \`{"state": "draining"}\` in a heartbeat, end or return what you hold, then
   \`deregister_worker\`.

What a worker must never do: end a job without its token, use a lease after \`lease_ms\`, or take an error of \`complete\`
for an error of the handler.

\`\`\`sql
-- Somebody enqueues, in the transaction of their own writes.
select id, outcome from jobqueue.enqueue('mail', 'welcome', '{"to": "ana"}', '{"timeout_seconds": 60}');
select id, outcome from jobqueue.enqueue('mail', 'welcome', '{"to": "bob"}');
select id, outcome from jobqueue.enqueue('mail', 'unknown', '{}');

-- 1. Register: the answer is the id of the worker.
select jobqueue.register_worker('{"boot_id": "5e1f", "hostname": "box", "queues": ["mail"], "concurrency": 3, "lease_seconds": 30}') as worker;

-- 2. Claim for three free slots.
select id, queue, kind, payload, attempt, lease_token, timeout_ms from jobqueue.claim(1, '{mail}', 3);

-- 3. Heartbeat.
select lease_until, lease_ms, cancel_ids from jobqueue.heartbeat(1, '{"slots_busy": 3, "loop_age_ms": 2, "last_claim_age_ms": 40}');

-- 5. One completes, one fails, one is of a kind this worker does not know. {}: no lease was lost.
select jobqueue.complete('{1}', '{1}', array['{"sent": true}']::json[], '{125}') as lost;
select jobqueue.fail('{2}', '{1}', '{"mailbox full"}', '{80}') as lost;
select jobqueue.return_unstarted('{3}', '{1}') as lost;

-- The same again, because no answer came: it counts as done. With another token it is lost.
select jobqueue.complete('{1}', '{1}') as lost;
select jobqueue.complete('{3}', '{1}') as lost;

-- 6. Sweep.
select id, outcome from jobqueue.recover_stale(100);
select jobqueue.release_deferred();

-- 8. Leave.
select lease_ms > 0 as renewed from jobqueue.heartbeat(1, '{"state": "draining", "slots_busy": 0}');
select jobqueue.deregister_worker(1);
\`\`\``;
