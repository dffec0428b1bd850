#!/usr/bin/env python3
"""scripts/bench sequences: what an import of many contacts costs: sequences.py POSTRIDER FOLDER ROWS

Beside it the machine's own limits in the same run: how often it syncs a file in a second, and how long bare SQLite takes for the same
rows in a table with one unique index."""
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import time

from bench import Folder, sink_conf

sys.stdout.reconfigure(line_buffering=True)
postrider, folder, rows = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)
chance = random.Random(7)
letters = "abcdefghijklmnopqrstuvwxyz"


def name():
    return "".join(chance.choices(letters, k=chance.randint(5, 9)))


def syncs():
    path = folder / "sync"
    with open(path, "wb") as file:
        start, count = time.monotonic(), 0
        while time.monotonic() - start < 1:
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            count += 1
    path.unlink()
    return count


def bare(sheet):
    db = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE c (id INTEGER PRIMARY KEY, key TEXT, fields TEXT); CREATE UNIQUE INDEX k ON c (key);")
    start = time.monotonic()
    batch = []
    with open(sheet, encoding="utf-8") as file:
        next(file)
        for line in file:
            batch.append((line.split(",", 1)[0], line))
            if len(batch) == 2000:
                db.execute("BEGIN IMMEDIATE")
                db.executemany("INSERT OR IGNORE INTO c (key, fields) VALUES (?, ?)", batch)
                db.execute("COMMIT")
                batch = []
    took = time.monotonic() - start
    db.close()
    for path in folder.glob("bare.sqlite*"):
        path.unlink()
    return took


def run(*arguments):
    """Seconds, seconds of processor time, peak resident memory in MB, and what was printed."""
    start = time.monotonic()
    with open(folder / "out", "wb") as out:
        process = subprocess.Popen([postrider, "--conf", str(conf), *arguments], stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    took = time.monotonic() - start
    lines = (folder / "out").read_text(errors="replace").splitlines()
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, lines, os.waitstatus_to_exitcode(status)


conf = sink_conf(Folder(folder))
sheet = folder / "people.csv"
domains = [f"{name()}{number}.example" for number in range(max(1, rows // 5))]
with open(sheet, "w", encoding="utf-8") as file:
    file.write("email,name,first_name,company,city,phone,note\n")
    for number in range(rows):
        first, last = name().capitalize(), name().capitalize()
        file.write(
            f"{first.lower()}.{last.lower()}{number}@{chance.choice(domains)},{first} {last},{first},{name()} GmbH,Köln,+49 221 {number},"
            f'"met at {name()}, wants ""more"""\n')
megabytes = sheet.stat().st_size / 1e6
print(f"{rows} rows, {megabytes:.0f} MB; {os.cpu_count()} cores; {syncs()} syncs/s; bare SQLite, one index: {bare(sheet):.1f} s")
print(f"{'what':<34}{'seconds':>9}{'cpu':>9}{'rows/s':>10}{'peak MB':>9}")
for what, arguments in [
    ("import --dry-run", ["contacts", "import", str(sheet), "--quiet", "--dry-run"]),
    ("import", ["contacts", "import", str(sheet), "--quiet"]),
    ("the same import again", ["contacts", "import", str(sheet), "--quiet"]),
]:
    took, cpu, memory, lines, status = run(*arguments)
    print(f"{what:<34}{took:>9.1f}{cpu:>9.1f}{rows / took:>10.0f}{memory:>9.0f}", "" if status == 0 else f"  exit {status}: {lines[-1:]}")
database = folder / "state/postrider.sqlite"
print(f"database: {database.stat().st_size / 1e6:.0f} MB, {database.stat().st_size / rows:.0f} bytes a contact")
_, _, _, lines, _ = run("contacts", "imports", "--json")
imports = [json.loads(line)["id"] for line in lines]
for what, one in zip(["undo of the second import", "undo of the first import"], imports):
    took, cpu, memory, lines, status = run("contacts", "undo", one)
    print(f"{what:<34}{took:>9.1f}{cpu:>9.1f}{rows / took:>10.0f}{memory:>9.0f}", "" if status == 0 else f"  exit {status}: {lines[-1:]}")
shutil.rmtree(folder, ignore_errors=True)
