#!/usr/bin/env python3
"""The second part of scripts/bench sequences: what a database full of campaigns costs: campaign.py POSTRIDER FOLDER ENROLLMENTS

Contacts, enrollments, ten touchpoints for each and five events for each touchpoint are written by bulk SQL into a database that Postrider
made, so that its schema and its triggers hold. Each figure is printed with its goal beside it, and with the machine's own limits: syncs of
a file, and bare SQLite claiming and advancing rows in batches of 500. The transitions are of a campaign whose steps are conditions."""
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

from bench import Folder, sink_conf

sys.stdout.reconfigure(line_buffering=True)
postrider, folder, people = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
TOUCHES, EVENTS, DAYS = 10, 5, 60
ORIGIN = 1_735_689_600_000
VARIANTS = "".join(f'[[step.variant]]\nname = "{name}"\ntext = "Hi from {name}"\n' for name in "ab")
now = int(time.time() * 1000)
begin = now - DAYS * 86_400_000


def conf(state):
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True)
    path = pathlib.Path(sink_conf(Folder(state), "[safety]\ndry_run = true\nbatch_limit = 500\n"))
    (state / "bench.toml").write_text(
        'name = "bench"\ndescription = ""\nstop_on = ["reply"]\n' + "".join(
            f'[[step]]\nname = "s{n}"\ndelay = "P1D"\n' + ('subject = "Hi"\n' + VARIANTS if n == 0 else 'text = "Hi"\n') for n in range(TOUCHES)))
    return path


def run(path, *arguments):
    began = time.monotonic()
    done = subprocess.run([postrider, "--conf", str(path), *arguments], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"campaign.py: {' '.join(arguments)}: exit {done.returncode}: {done.stderr.strip()}")
    return time.monotonic() - began, done.stdout


def fill(path, count):
    """Rows as Postrider writes them; ids follow time."""
    run(path, "sequence", "load", str(path.parent / "bench.toml"))
    db = sqlite3.connect(path.parent / "state/postrider.sqlite", isolation_level=None)
    db.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-200000; PRAGMA temp_store=MEMORY;")
    version, sequence = db.execute("SELECT id, sequence_id FROM sequence_version LIMIT 1").fetchone()
    step = DAYS * 86_400_000 // (count * TOUCHES * (EVENTS + 1) + 1)
    row = f"(({begin} - {ORIGIN}) << 8) + (%s) * {max(1, (DAYS * 86_400_000 << 8) // (count * TOUCHES * EVENTS * 2))}"
    people = f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
    touches = f"WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count * TOUCHES - 1}) "
    events = f"WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count * TOUCHES * EVENTS - 1}) "
    at = f"{begin} + (%s) * {DAYS * 86_400_000} / {count * TOUCHES}"
    db.execute("BEGIN")
    db.execute(people + "INSERT INTO contact (id, workspace_id, address, address_key, address_domain, display_name, fields, created_at) "
               "SELECT i, 1, 'person-' || i || '@company' || (i / 5) || '.example', 'person-' || i || '@company' || (i / 5) || '.example', "
               f"'company' || (i / 5) || '.example', 'Person ' || i, '{{\"company\":\"Company\"}}', {begin} FROM n")
    db.execute(people + "INSERT INTO enrollment (id, workspace_id, contact_id, sequence_id, version_id, identity, state, reason, next_step, due_at, "
               f"version, created_at) SELECT i, 1, i, {sequence}, {version}, 'id' || (i % 10), 'active', '', {TOUCHES - 1}, {now} - 86400000 + i, "
               f"{2 * TOUCHES}, {begin} FROM n")
    db.execute(touches + "INSERT INTO transition_log (enrollment_id, version, at, state, reason, next_step, due_at) SELECT i % "
               f"{count} + 1, i / {count} + 1, {at % 'i'}, 'active', 'accepted', i / {count}, {now} FROM n")
    outbox = row % f"i * {EVENTS}"
    db.execute(touches + "INSERT INTO outbox (id, workspace_id, enrollment_id, contact_id, step, occurrence, identity, route, reverse_path, recipient, "
               "recipient_key, recipient_domain, message_id, subject, created_at, budget_day, state, reason, attempts, final_dot_at, provider, "
               "version_id, variant) "
               f"SELECT {outbox}, 1, i % {count} + 1, i % {count} + 1, i / {count}, 0, 'id' || (i % {count} % 10), 'out', "
               f"'bounce+' || i || '@r.example.com', 'person-' || (i % {count} + 1) || '@company.example', "
               f"'person-' || (i % {count} + 1) || '@company.example', 'company.example', i || '.bench@out.example.com', 'Our talk', {at % 'i'}, "
               f"({at % 'i'}) / 86400000, 'sent', '250 2.0.0 Ok: queued as 4cXyz', 1, {at % 'i'}, 'google', {version}, "
               f"CASE WHEN i < {count} THEN substr('ab', 1 + i % 2, 1) END FROM n")
    db.execute(touches + "INSERT INTO attempt (outbox_id, started_at, ended_at, outcome, stage, reply_code, enhanced_status, text, remote_mta, tls, "
               f"transcript) SELECT {outbox}, {at % 'i'}, {at % 'i'} + 400, 'accepted', 'accepted', 250, '2.0.0', '250 2.0.0 Ok: queued as 4cXyz', "
               "'aspmx.l.google.com[192.0.2.7]:25', 'TLSv1.3 TLS_AES_256_GCM_SHA384 verified', '' FROM n")
    before = db.execute("PRAGMA page_count").fetchone()[0]
    kinds = "CASE i % 5 WHEN 0 THEN 'queued' WHEN 1 THEN 'transition' WHEN 2 THEN 'deferred' WHEN 3 THEN 'accepted' ELSE 'transition' END"
    db.execute(events + f"INSERT INTO timeline (id, at, kind, contact_id, enrollment_id, outbox_id, summary, facts) SELECT {row % 'i'} + 1, "
               f"{at % f'i / {EVENTS}'}, {kinds}, i / {EVENTS} % {count} + 1, i / {EVENTS} % {count} + 1, "
               f"CASE i % 5 WHEN 1 THEN NULL WHEN 4 THEN NULL ELSE {row % f'i / {EVENTS} * {EVENTS}'} END, 'step s1: Our talk', "
               "'{\"step\":\"1\",\"route\":\"out\"}' FROM n")
    db.execute("COMMIT")
    size = db.execute("PRAGMA page_size").fetchone()[0]
    after = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute("PRAGMA journal_mode=WAL")
    db.close()
    return before * size, (after - before) * size


def advance(count):
    """Transitions a second that 'serve' decides and stores, each with its line of audit and timeline: steps that are no messages."""
    path = conf(folder / "advance")
    steps = [f'[[step]]\nname = "c{n}"\ntype = "condition"\n[[step.transition]]\nif = \'field.company == "Company"\'\nto = "c{n + 1}"\n'
             f'[[step.transition]]\nto = "c{TOUCHES}"\n' for n in range(TOUCHES)]
    plan = folder / "advance/advance.toml"
    plan.write_text('name = "advance"\n' + "".join(steps) + f'[[step]]\nname = "c{TOUCHES}"\ntype = "stop"\nreason = "done"\n')
    people = folder / "advance/people.csv"
    people.write_text("email,company\n" + "".join(f"person-{n}@company{n // 5}.example,Company\n" for n in range(count)))
    run(path, "contacts", "import", str(people))
    run(path, "sequence", "load", str(plan))
    run(path, "enroll", "advance", "--all")
    db = sqlite3.connect(path.parent / "state/postrider.sqlite", isolation_level=None)
    with open(path.parent / "serve.log", "w") as out:
        serve = subprocess.Popen([postrider, "--conf", str(path), "serve"], stdout=out, stderr=out)
    deadline = time.monotonic() + 300
    while db.execute("SELECT EXISTS (SELECT 1 FROM enrollment WHERE due_at IS NOT NULL)").fetchone()[0]:
        if serve.poll() is not None or time.monotonic() > deadline:
            sys.exit("campaign.py: serve did not come to the end")
        time.sleep(0.1)
    serve.send_signal(signal.SIGTERM)
    serve.wait(60)
    done, first, last = db.execute("SELECT COUNT(*), MIN(at), MAX(at) FROM transition_log").fetchone()
    assert done >= count * TOUCHES, done
    return done * 1000 / (last - first)


def claim(path):
    """Milliseconds for claiming the 500 that are due first, without the commit: Postrider's own statement."""
    db = sqlite3.connect(path.parent / "state/postrider.sqlite", isolation_level=None)
    spent = []
    for _ in range(9):
        db.execute("BEGIN IMMEDIATE")
        began = time.perf_counter()
        rows = db.execute(
            "UPDATE enrollment SET lease_owner = 'bench', lease_until = 9e15 WHERE id IN (SELECT id FROM enrollment WHERE due_at <= ? AND "
            "(lease_until IS NULL OR lease_until <= ?) ORDER BY due_at LIMIT 500) RETURNING *".replace("9e15", "9000000000000000"),
            (now, now)).fetchall()
        spent.append(time.perf_counter() - began)
        db.execute("ROLLBACK")
        assert len(rows) == 500, len(rows)
    db.close()
    return sorted(spent)[len(spent) // 2] * 1000


def bare():
    """Rows a second that bare SQLite claims and advances durably in batches of 500."""
    db = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE e (id INTEGER PRIMARY KEY, due INTEGER, owner TEXT); "
                     "CREATE INDEX d ON e (due); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
                     "INSERT INTO e SELECT i, i, NULL FROM n;")
    began, count = time.monotonic(), 0
    while time.monotonic() - began < 3:
        db.execute("BEGIN IMMEDIATE")
        rows = db.execute("SELECT id FROM e ORDER BY due LIMIT 500").fetchall()
        db.executemany("UPDATE e SET due = due + 1000000, owner = NULL WHERE id = ?", rows)
        db.execute("COMMIT")
        count += len(rows)
    return count / (time.monotonic() - began)


def syncs():
    with open(folder / "sync", "wb") as file:
        began, count = time.monotonic(), 0
        while time.monotonic() - began < 1:
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            count += 1
    return count


def serving(path):
    """Seconds until 'serve' says that it serves, and its resident memory in MB five seconds later."""
    log = path.parent / "serve.log"
    with open(log, "w") as out:
        began = time.monotonic()
        serve = subprocess.Popen([postrider, "--conf", str(path), "serve"], stdout=out, stderr=out)
    while "serving" not in log.read_text(errors="replace"):
        if serve.poll() is not None or time.monotonic() - began > 60:
            sys.exit(f"campaign.py: serve did not start: {log.read_text()[-500:]}")
        time.sleep(0.01)
    started = time.monotonic() - began
    time.sleep(5)
    with open(f"/proc/{serve.pid}/status") as status:
        memory = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    serve.send_signal(signal.SIGTERM)
    serve.wait(60)
    return started, memory


def line(what, found, goal):
    print(f"{what:<58}{found:>16}   {goal}")


shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)
few, many = conf(folder / "few"), conf(folder / "many")
fill(few, 1000)
facts, events = fill(many, people)
print(f"{people} enrollments, {people * TOUCHES} touchpoints, {people * TOUCHES * EVENTS} events; {os.cpu_count()} cores, {syncs()} syncs/s; "
      f"bare SQLite claims and advances {bare():.0f} rows/s")
line("what", "found", "goal")
small, large = claim(few), claim(many)
line("claiming the next 500, beside a database of 1,000", f"{large:.2f} / {small:.2f} ms", f"2x at most; it is {large / small:.2f}x")
line("transitions that serve decides and stores a second", f"{advance(20_000):.0f}", "15,000")
line("bytes on disk a touchpoint past its retention", f"{facts / people / TOUCHES:.0f}", "1,500")
line("bytes on disk an event", f"{events / people / TOUCHES / EVENTS:.0f}", "200")
took, _ = run(many, "sequence", "stats", "bench")
line("events counted a second, the first time", f"{people * TOUCHES * EVENTS / took:.0f}", "-")
database = many.parent / "state/postrider.sqlite"
db = sqlite3.connect(database)
db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
db.close()
line("bytes on disk a touchpoint for the counts", f"{(database.stat().st_size - facts - events) / people / TOUCHES:.0f}", "-")
empty = min(run(few, "sequence", "stats", "bench")[0] for _ in range(5))
for split in ["", "step", "variant", "identity", "provider", "day"]:
    arguments = ["sequence", "stats", "bench", "--json"] + (["--by", split] if split else [])
    took = min(run(many, *arguments)[0] for _ in range(5))
    line(f"statistics{' by ' + split if split else ''}, the process included", f"{took * 1000:.0f} ms", f"50 ms; of 1,000: {empty * 1000:.0f} ms")
started, memory = serving(many)
line("start-up", f"{started:.2f} s", "1 s")
line("resident memory of serve, at most", f"{memory:.0f} MB", "300 MB")
shutil.rmtree(folder, ignore_errors=True)
