#!/usr/bin/env bash
# A worker that is a loop around psql: DATABASE_URL=postgres://... QUEUES=default,low ./worker.sh
set -uo pipefail
export QUEUES=${QUEUES:-default} LEASE=${LEASE_SECONDS:-30}
boot=$(cat /proc/sys/kernel/random/uuid)

# Runs one statement. Values come as name=value and are written :'name' in it, which psql quotes: never splice them in.
sql() {
  local statement=$1 values=() && shift
  for value in "$@"; do values+=(-v "$value"); done
  psql "$DATABASE_URL" -XqtA -F $'\t' -v ON_ERROR_STOP=1 "${values[@]}" <<<"$statement"
}

# The handlers: payload on standard input, result as JSON on standard output, exit code above 0 fails the attempt.
handle() {
  case $1 in
    nap) sleep "$(sed -E 's/.*"seconds": *([0-9.]+).*/\1/')" && echo "{\"by\": \"bash\", \"pid\": $$}" ;;
    *) return 127 ;; # a kind that is not known here
  esac
}

# In the background, so that a long job does not cost the lease. No answer: lost for good. An error: tried again.
beat() {
  while sleep "$((LEASE > 3 ? LEASE / 3 : 1))"; do
    alive=$(sql "select 'alive' from jobqueue.heartbeat(:'worker')" worker="$1") && [ -z "$alive" ] && return
    sql "select count(*) from jobqueue.recover_stale(100)" >/dev/null # what every worker does
  done
}

# Claims a job, runs it, says how it ended. Fails when the store does.
work() {
  local row id token kind payload errors result code outcome refused
  row=$(sql "select id, lease_token, kind, payload::jsonb from jobqueue.claim(:'worker', string_to_array(:'queues', ','), 1)" \
    worker="$1" queues="$QUEUES") || return
  [ -n "$row" ] || { sleep 1; return 0; }
  IFS=$'\t' read -r id token kind payload <<<"$row"
  errors=$(mktemp) && result=$(handle "$kind" <<<"$payload" 2>"$errors")
  code=$?
  case $code in
    0) outcome="complete(array[:id]::bigint[], array[:token]::bigint[], array[:'result']::json[], exit_codes => array[0])" ;;
    127) outcome="return_unstarted(array[:id]::bigint[], array[:token]::bigint[])" && sleep 1 ;; # waits for one that knows it
    *) outcome="fail(array[:id]::bigint[], array[:token]::bigint[], array[:'error'], exit_codes => array[:code])" ;;
  esac
  refused=$(sql "select jobqueue.$outcome" id="$id" token="$token" result="$result" code="$code" error="$(tail -c 8000 "$errors")")
  local answered=$? && rm -f "$errors"
  [ $answered = 0 ] && { [ "$refused" = "{}" ] && echo "job $id: ${outcome%%(*}" || echo "job $id: lease lost, outcome refused"; }
}

trap 'stopping=1' TERM # the job that runs is finished, then the worker leaves
while [ -z "${stopping-}" ]; do # registers anew whenever the store was away, or said that the lease is lost
  worker=$(sql "select jobqueue.register_worker(jsonb_build_object('boot_id', :'boot', 'hostname', :'host', 'pid', :'pid',
    'version', 'bash', 'queues', string_to_array(:'queues', ','), 'concurrency', 1, 'lease_seconds', :'lease'))" \
    boot="$boot" host="$HOSTNAME" pid=$$ queues="$QUEUES" lease="$LEASE") || { sleep 1; continue; }
  beat "$worker" & beating=$!
  while [ -z "${stopping-}" ] && kill -0 "$beating" 2>/dev/null; do work "$worker" || break; done
  kill "$beating" 2>/dev/null
  sql "select jobqueue.deregister_worker(:'worker')" worker="$worker" >/dev/null
done
