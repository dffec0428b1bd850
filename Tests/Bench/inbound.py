"""The conductor of scripts/bench inbound: durable accepts per second through Postrider's listener and through Postfix's smtpd, then what
Postrider costs while a thousand slow clients and two hundred idle mailboxes hold on to it.

usage: inbound.py POSTRIDER SOURCE FOLDER MESSAGES

The same client hands the same message of 5 KB to both, each on a disk below FOLDER, in turn. Postrider sorts what it took meanwhile; the
mail that Postfix took is put on hold, so that it does nothing but take mail.
"""

import asyncio
import os
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time

from bench import Folder, end, free_port, highest_memory, load, memory, processor_seconds, succeed, wait_for_port

POSTRIDER, SOURCE, MESSAGES = sys.argv[1], sys.argv[2], int(sys.argv[4])
folder = Folder(sys.argv[3])
TURNS = 3
SLOW = 1000
MAILBOXES = 200


# --- Postrider ----------------------------------------------------------------------------------------------------------------------

def serve(more=""):
    shutil.rmtree(folder("own"), ignore_errors=True)
    port = free_port()
    folder.write("own/token.key", "5a" * 32 + "\n", 0o600)
    conf = folder.write("own/postrider.conf", f"""
        [main]
        myhostname = "in.example.com"
        state_directory = "{folder('own/state')}"
        run_directory = "{folder('own/run')}"
        [dns]
        resolvers = ["127.0.0.1@{free_port()}"]
        [tokens]
        key_files = ["{folder('own/token.key')}"]
        [listener.smtp]
        listen = ["127.0.0.1:{port}"]
        accept_domains = ["r.example.com"]
        max_connections = 2000
        max_connections_per_ip = 2000
        """.replace("\n        ", "\n") + more)
    log = open(folder("own/serve.log"), "w")
    process = subprocess.Popen([POSTRIDER, "--conf", conf, "serve"], stdout=log, stderr=log)
    wait_for_port(port, process)
    return process, port


# --- Postfix ------------------------------------------------------------------------------------------------------------------------

MASTER = """127.0.0.1:{port} inet n - n - 100 smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


def postfix():
    shutil.rmtree(folder("peer"), ignore_errors=True)
    os.makedirs(folder("peer/queue"))
    os.makedirs(folder("peer/data"))
    shutil.chown(folder("peer/data"), "postfix")
    daemons = succeed("postconf", "-d", "-h", "daemon_directory").strip()
    port = free_port()
    settings = {
        "compatibility_level": "3.6", "queue_directory": folder("peer/queue"), "data_directory": folder("peer/data"),
        "daemon_directory": daemons, "mail_owner": "postfix", "setgid_group": "postdrop", "maillog_file": folder("peer/postfix.log"),
        "maillog_file_prefixes": folder.path, "myhostname": "in.example.com", "mydestination": "r.example.com", "local_recipient_maps": "",
        "alias_maps": "", "alias_database": "", "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4", "smtpd_peername_lookup": "no",
        "mynetworks": "127.0.0.0/8", "smtpd_client_restrictions": "check_client_access static:HOLD", "local_transport": "discard",
        "smtpd_client_connection_count_limit": "0",
    }
    folder.write("peer/conf/main.cf", "".join(f"{key} = {value}\n" for key, value in settings.items()))
    folder.write("peer/conf/master.cf", MASTER.format(port=port))
    subprocess.run(["postfix", "-c", folder("peer/conf"), "check"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    master = subprocess.Popen([f"{daemons}/master", "-s", "-c", folder("peer/conf")],
                              env=dict(os.environ, MAIL_CONFIG=folder("peer/conf")), start_new_session=True)
    wait_for_port(port, master)
    return master, port


# --- accepts ------------------------------------------------------------------------------------------------------------------------

def feed(port, sessions, per_connection):
    count = MESSAGES if sessions > 1 else MESSAGES // 3
    succeed(SOURCE, str(port), str(sessions), str(max(sessions, count // 10)), str(per_connection), "5000", "postmaster@r.example.com")
    out = succeed(SOURCE, str(port), str(sessions), str(count), str(per_connection), "5000", "postmaster@r.example.com")
    return list(map(float, out.split()))


def accepts():
    for per_connection in (1, 40):
        print(f"durable accepts of 5 KB, {per_connection} for each connection:", flush=True)
        for sessions in (1, 10, 50):
            found = {"Postrider": [], "Postfix smtpd": []}
            for _ in range(TURNS):
                own, port = serve()
                found["Postrider"].append(feed(port, sessions, per_connection))
                end(own)
                peer, port = postfix()
                found["Postfix smtpd"].append(feed(port, sessions, per_connection))
                os.killpg(peer.pid, signal.SIGTERM)
                peer.wait(30)
            medians = {name: [statistics.median(run[at] for run in runs) for at in range(4)] for name, runs in found.items()}
            for name, (rate, half, most, longest) in medians.items():
                print(f"  {sessions:3} sessions  {name:14} {rate:8,.0f}/s; from the dot to 250: half within {half:.1f} ms, "
                      f"99 % within {most:.1f} ms, all within {longest:.1f} ms")
            print(f"               ratio {medians['Postrider'][0] / medians['Postfix smtpd'][0]:.2f}", flush=True)


# --- slow clients -------------------------------------------------------------------------------------------------------------------

async def drip(port, seconds, counts):
    """One octet every five seconds, of a command that never ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        await reader.readline()
        counts["open"] += 1
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            writer.write(b"E")
            await asyncio.sleep(5)
            if reader.at_eof():
                counts["lost"] += 1
                return
    except OSError:
        counts["lost"] += 1
    finally:
        writer.close()


async def slow(port, process):
    counts = {"open": 0, "lost": 0}
    drips = [asyncio.create_task(drip(port, 60, counts)) for _ in range(SLOW)]
    while counts["open"] < SLOW and counts["lost"] == 0:
        await asyncio.sleep(0.1)
    before = processor_seconds(process.pid)
    longest = 0
    for _ in range(12):
        began = time.monotonic()
        polite = await asyncio.create_subprocess_exec(SOURCE, str(port), "1", "1", "1", "5000", "postmaster@r.example.com",
                                                      stdout=asyncio.subprocess.DEVNULL)
        await polite.wait()
        longest = max(longest, time.monotonic() - began)
        await asyncio.sleep(4)
    spent = (processor_seconds(process.pid) - before) / 48 * 100
    held, most = memory(process.pid), highest_memory(process.pid)
    await asyncio.gather(*drips)
    print(f"{counts['open']} slow connections for a minute, {counts['lost']} lost: {held:.0f} MB (at most {most:.0f} MB), "
          f"{spent:.1f} % of a processor; a message of another client took {longest * 1000:.0f} ms at most", flush=True)


# --- idle mailboxes -----------------------------------------------------------------------------------------------------------------

class IdleServer:
    """An IMAP server of empty mailboxes with IDLE."""

    def __init__(self):
        self.idling = 0
        self.loop = asyncio.new_event_loop()
        self.port = free_port()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", self.port, backlog=1000))
        self.loop.run_forever()

    async def serve(self, reader, writer):
        writer.write(b"* OK [CAPABILITY IMAP4rev1 IDLE SASL-IR AUTH=PLAIN] ready\r\n")
        idle = None
        while line := await reader.readline():
            words = line.split()
            if words[0] == b"DONE":
                self.idling -= 1
                writer.write(idle + b" OK done\r\n")
                continue
            tag, verb = words[0], words[1].upper()
            if verb == b"IDLE":
                idle = tag
                self.idling += 1
                writer.write(b"+ idling\r\n")
                continue
            if verb in (b"EXAMINE", b"SELECT"):
                writer.write(b"* 0 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 1] x\r\n")
            if verb == b"CAPABILITY":
                writer.write(b"* CAPABILITY IMAP4rev1 IDLE SASL-IR AUTH=PLAIN\r\n")
            if words[1:3] == [b"UID", b"SEARCH"]:
                writer.write(b"* SEARCH\r\n")
            writer.write(tag + b" OK done\r\n")


def idle():
    server = IdleServer()
    folder.write("secret", "secret", 0o600)
    more = "".join(f"""
[mailbox.m{number}]
host = "127.0.0.1"
port = {server.port}
tls = "none"
auth = {{ mechanism = "plain", user = "m{number}", password_file = "{folder('secret')}" }}
folders = ["INBOX"]
""" for number in range(MAILBOXES))
    process, _ = serve(more)
    deadline = time.monotonic() + 60
    while server.idling < MAILBOXES and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(5)
    before = processor_seconds(process.pid)
    time.sleep(20)
    spent = (processor_seconds(process.pid) - before) / 20 * 100
    threads = len(os.listdir(f"/proc/{process.pid}/task"))
    print(f"{server.idling} mailboxes in IDLE: {memory(process.pid):.0f} MB, {spent:.2f} % of a processor, {threads} threads", flush=True)
    end(process)


def main():
    shutil.rmtree(folder.path, ignore_errors=True)
    os.makedirs(folder.path)
    folder.must_be_open_to_others()
    print(f"inbound, {MESSAGES} messages, medians of {TURNS}, in turn; {os.cpu_count()} processors, load {load()}", flush=True)
    parts = os.environ.get("BENCH_PARTS", "accepts slow idle").split()
    if "accepts" in parts:
        accepts()
    if "slow" in parts:
        process, port = serve()
        asyncio.run(slow(port, process))
        end(process)
    if "idle" in parts:
        idle()


main()
