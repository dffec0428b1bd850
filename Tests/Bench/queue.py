"""The conductor of scripts/bench queue: what a long queue costs.

usage: queue.py POSTRIDER SINK FOLDER ROWS

The same installation delivers with a queue of 1,000 rows and with one of ROWS, all due. The rows are copies of one that Postrider made,
with a number, a Message-ID and a recipient of their own. Measured are the start (until the first message is in the sink), the time for
the messages after it, the time that the two statements of a claim take by themselves, and the memory of the process.
"""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import outbound
from bench import highest_memory, succeed
from outbound import FOLDER, POSTRIDER, Sink, installation, path

FEW, COUNTED = 1_000, 900
BODY = "Hello {{first_name}},\n\nthe letters come from the town every morning.\n"

# The columns that a copy has of its own; the others are as they were.
OWN = {"id": "model.id + n.i", "message_id": "n.i || '.' || model.message_id", "recipient": "'person-' || n.i || '@customers.example.net'",
       "recipient_key": "'person-' || n.i || '@customers.example.net'", "enrollment_id": "NULL", "contact_id": "NULL"}


def queued(conf):
    counts = json.loads(succeed(POSTRIDER, "--conf", conf, "queue", "--json").split("\n")[0] or "{}")
    return bool(counts)


def fill(conf, rows):
    """Lets Postrider queue one message without delivering it, and copies it."""
    with open(conf) as file:
        text = file.read()
    with open(conf, "w") as file:
        file.write(text.replace("[safety]", "[safety]\ndry_run = true"))
    with open(path("own/fill.log"), "w") as log:
        serve = subprocess.Popen([POSTRIDER, "--conf", conf, "serve"], stdout=log, stderr=log)
    deadline = time.monotonic() + 60
    while not queued(conf):
        if time.monotonic() > deadline or serve.poll() is not None:
            sys.exit("queue.py: no message was queued")
        time.sleep(0.05)
    serve.send_signal(signal.SIGTERM)
    serve.wait(60)
    database = sqlite3.connect(path("own/state/postrider.sqlite"))
    columns = [row[1] for row in database.execute("PRAGMA table_info(outbox)")]
    numbers = f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows - 1})"
    database.execute(f"INSERT INTO outbox ({', '.join(columns)}) {numbers} SELECT {', '.join(OWN.get(name, 'model.' + name) for name in columns)} "
                     "FROM n, (SELECT * FROM outbox LIMIT 1) AS model")
    database.execute(f"INSERT INTO outbox_body (outbox_id, bytes) {numbers} SELECT model.outbox_id + n.i, model.bytes "
                     "FROM n, (SELECT * FROM outbox_body LIMIT 1) AS model")
    database.commit()
    assert database.execute("SELECT COUNT(*) FROM outbox WHERE state IN ('incoming', 'deferred')").fetchone()[0] == rows
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    with open(conf, "w") as file:
        file.write(text)


def claim_alone(rounds=200):
    """Milliseconds for a look at the 20 that are due first and for taking them, without a commit."""
    database = sqlite3.connect(path("own/state/postrider.sqlite"), isolation_level=None)
    look = ("SELECT id, next_attempt_at FROM outbox INDEXED BY outbox_route_due WHERE route = 'bench' AND state IN ('incoming', 'deferred') "
            "AND next_attempt_at <= 9e15 ORDER BY next_attempt_at LIMIT 20")
    database.execute("BEGIN IMMEDIATE")
    began = time.perf_counter()
    for _ in range(min(rounds, FEW // 40)):
        for row in database.execute(look).fetchall():
            database.execute("UPDATE outbox SET state = 'active', claim = claim + 1, lease_owner = 'bench', lease_until = 1 WHERE id = ?", row[:1])
    spent = time.perf_counter() - began
    database.execute("ROLLBACK")
    database.close()
    return spent * 1000 / min(rounds, FEW // 40)


def measure(rows):
    sink = Sink(None)
    conf = installation(sink, None, 1, BODY)
    fill(conf, rows)
    alone = claim_alone()
    log = open(path("own/serve.log"), "w")
    began = time.monotonic()
    serve = subprocess.Popen([POSTRIDER, "--conf", conf, "serve"], stdout=log, stderr=log)
    sink.wait(FEW - COUNTED, serve)
    started = time.monotonic() - began
    sink.wait(FEW, serve)
    seconds = time.monotonic() - began - started
    highest = highest_memory(serve.pid)
    serve.send_signal(signal.SIGTERM)
    serve.wait(120)
    sink.end()
    print(f"  {rows:9,} rows: {started:.2f} s until the first {FEW - COUNTED} are in the sink, then {seconds * 1000 / COUNTED:.2f} ms per message; "
          f"a claim of 20 by itself {alone:.2f} ms; at most {highest:.0f} MB resident", flush=True)
    return seconds / COUNTED, alone, highest


def main():
    rows = outbound.MESSAGES
    if rows < FEW:
        sys.exit(f"queue.py: choose at least {FEW} rows")
    shutil.rmtree(FOLDER, ignore_errors=True)
    print(f"queue, one message of a few hundred octets copied, all due, {outbound.SESSIONS} connections", flush=True)
    few, many = measure(FEW), measure(rows)
    print(f"  ratio of the time per message {many[0] / few[0]:.2f}, of a claim by itself {many[1] / few[1]:.2f}")


main()
