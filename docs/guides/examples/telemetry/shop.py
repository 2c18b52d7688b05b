"""Enqueues a job as part of a trace: TRACEPARENT=00-... python3 shop.py"""
import json, os, secrets
import psycopg

# With OpenTelemetry in the process:  carrier = {}; opentelemetry.propagate.inject(carrier); carrier["traceparent"]
traceparent = os.environ.get("TRACEPARENT") or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
with psycopg.connect(os.environ["DATABASE_URL"]) as db:
    (job,) = db.execute("select id from jobqueue.enqueue('default', 'order.place', %s, %s)",
                        [json.dumps({"order": 8}), json.dumps({"traceparent": traceparent})]).fetchone()
print(f"job {job}")
