#!/usr/bin/env python3
"""A worker in Python: DATABASE_URL=postgres://... QUEUES=default,low python3 worker.py"""
import json, os, signal, socket, sys, threading, time, traceback, uuid
import psycopg
from psycopg.rows import dict_row

LEASE_SECONDS = int(os.environ.get("LEASE_SECONDS", "30"))
FACTS = {"boot_id": str(uuid.uuid4()), "hostname": socket.gethostname(), "pid": os.getpid(), "version": "python",
         "queues": os.environ.get("QUEUES", "default").split(","), "concurrency": 1, "lease_seconds": LEASE_SECONDS}
stop = threading.Event()

def nap(payload):  # a handler: takes the payload, returns the result, raises to fail the attempt
    time.sleep(payload["seconds"])
    return {"by": "python", "pid": os.getpid()}
HANDLERS = {"nap": nap}

def connect():
    return psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, connect_timeout=5, row_factory=dict_row)

def beat(worker, over):  # in a thread with a connection of its own, so that a long job does not cost the lease
    while not over.wait(LEASE_SECONDS / 3):
        try:
            with connect() as db:
                if db.execute("select lease_ms from jobqueue.heartbeat(%s)", [worker]).fetchone() is None:
                    return over.set()  # lost for good
                db.execute("select id from jobqueue.recover_stale(100)")  # what every worker does
        except psycopg.Error as error:  # tried again, until the store says that the lease is lost
            print("heartbeat:", error, file=sys.stderr, flush=True)

def run(db, job):
    call, said = "complete(%s::bigint[], %s::bigint[], %s::json[])", None
    try:
        said = [json.dumps(HANDLERS[job["kind"]](job["payload"]))]
    except Exception:
        call, said = "fail(%s::bigint[], %s::bigint[], %s::text[])", [traceback.format_exc()]
    lease = [[job["id"]], [job["lease_token"]]]
    if job["kind"] not in HANDLERS:  # never failed: it waits for a worker that knows the kind
        call, said = "return_unstarted(%s::bigint[], %s::bigint[])", stop.wait(1) and None
    refused = db.execute(f"select jobqueue.{call} as lost", [*lease, said] if said else lease).fetchone()["lost"]
    print(f"job {job['id']}:", "lease lost, outcome refused" if refused else call.split("(")[0], flush=True)

def work(db, over):
    worker = db.execute("select jobqueue.register_worker(%s) as id", [json.dumps(FACTS)]).fetchone()["id"]
    threading.Thread(target=beat, args=[worker, over], daemon=True).start()
    while not stop.is_set() and not over.is_set():
        job = db.execute("select * from jobqueue.claim(%s, %s, 1)", [worker, FACTS["queues"]]).fetchone()
        run(db, job) if job else stop.wait(1)
    db.execute("select jobqueue.deregister_worker(%s)", [worker])

signal.signal(signal.SIGTERM, lambda *_: stop.set())  # the job that runs is finished, then the worker leaves
while not stop.is_set():
    over = threading.Event()
    try:
        with connect() as connection:
            work(connection, over)
    except psycopg.Error as error:  # the store is away, or the lease lapsed (JQ001): register again
        print(error, file=sys.stderr, flush=True)
        stop.wait(1)
    over.set()
