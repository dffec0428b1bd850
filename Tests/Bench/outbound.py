"""The conductor of scripts/bench outbound: the same number of messages through Postrider and through Postfix with OpenDKIM, into one sink.

usage: outbound.py POSTRIDER SINK FOLDER MESSAGES

Postrider begins with contacts enrolled in a sequence and ends when all messages, rendered, queued, signed and sent by it, are in the
sink and their outcomes are stored. Postfix begins with smtp-source feeding it as many messages of the size that Postrider's had, signs
them by OpenDKIM as a milter on a unix socket, and ends when all are in the sink. Both are ours alone, on loopback, with their queues
below FOLDER; each ends before the other begins.
"""

import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

from bench import TICK, Folder, free_port, load, succeed, wait_for_port

POSTRIDER, SINK, FOLDER, MESSAGES = sys.argv[1], sys.argv[2], os.path.abspath(sys.argv[3]), int(sys.argv[4])
SESSIONS = 20
TURNS = 3
LIMIT = 600
WORDS = "The house stands on the hill and looks over the river to the town where the letters come from every morning. "


path, write = Folder(FOLDER), Folder(FOLDER).write


# --- what a process costs -----------------------------------------------------------------------------------------------------------

def stat(pid):
    """Parent and processor seconds of a process with the children that it has waited for; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return int(fields[1]), sum(map(int, fields[11:15])) / TICK


def family(root):
    all_of_them = {int(name): stat(name) for name in os.listdir("/proc") if name.isdigit()}
    members = {root}
    while True:
        more = {pid for pid, facts in all_of_them.items() if facts and facts[0] in members} - members
        if not more:
            return {pid: all_of_them[pid] for pid in members if all_of_them.get(pid)}
        members |= more


def processor_seconds(*roots):
    return sum(facts[1] for root in roots for facts in family(root).values())


def memory(*roots):
    """Proportional set size in MB: shared pages count once."""
    total = 0
    for root in roots:
        for pid in family(root):
            try:
                with open(f"/proc/{pid}/smaps_rollup") as file:
                    total += int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M).group(1))
            except (OSError, AttributeError):
                pass
    return total / 1024


def signatures_per_second():
    out = succeed("openssl", "speed", "-seconds", "1", "rsa2048")
    return float(re.search(r"^rsa 2048 bits.*?([\d.]+)\s+[\d.]+\s*$", out, re.M).group(1))


# --- the sink -----------------------------------------------------------------------------------------------------------------------

class Sink:
    def __init__(self, certificate):
        self.port = free_port()
        self.process = subprocess.Popen(
            [SINK, str(self.port)] + (list(certificate) if certificate else []), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        wait_for_port(self.port, self.process)
        self.base = self.counts()

    def counts(self):
        self.process.stdin.write("?\n")
        self.process.stdin.flush()
        return list(map(int, self.process.stdout.readline().split()))

    def wait(self, number, alive):
        """Returns when that many messages came; (connections, connections with TLS, messages without signature)."""
        deadline = time.monotonic() + LIMIT
        while True:
            counts = [now - then for now, then in zip(self.counts(), self.base)]
            if counts[0] >= number:
                return counts
            if time.monotonic() > deadline or alive.poll() is not None:
                sys.exit(f"outbound.py: only {counts[0]} of {number} messages came")
            time.sleep(0.005)

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)


# --- Postrider ----------------------------------------------------------------------------------------------------------------------

def installation(sink, certificate, contacts, body, extra=""):
    """A fresh installation whose only route leads to the sink, with a sequence of one step and that many contacts enrolled; its conf file.

    certificate: of the sink, which is spoken to over STARTTLS then; None: in clear.
    """
    shutil.rmtree(path("own"), ignore_errors=True)
    name = ["--domain", "example.com", "--selector", "s1"]
    succeed(POSTRIDER, "dkim", "keygen", *name, "--out", path("own/keys"))
    key = next(path("own/keys", file) for file in os.listdir(path("own/keys")) if file.endswith(".pem"))
    write("own/token.key", "5a" * 32 + "\n", 0o600)
    tls = f'tls = "starttls"\ntls_ca_file = "{certificate[0]}"\ntls_security_level = "verify"' if certificate else 'tls = "none"'
    conf = write("own/postrider.conf", f"""
        [main]
        myhostname = "out.example.com"
        state_directory = "{path('own/state')}"
        run_directory = "{path('own/run')}"
        [dns]
        resolvers = ["127.0.0.1@{free_port()}"]
        [tokens]
        key_files = ["{path('own/token.key')}"]
        domain = "r.example.com"
        [window]
        days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        hours = "00:00-24:00"
        [route.bench]
        type = "submission"
        host = "localhost"
        port = {sink.port}
        {tls}
        process_limit = {SESSIONS}
        [safety]
        instance_daily_limit = 10000000
        [dkim.key."example.com"]
        selector = "s1"
        key_file = "{key}"
        [identity.anna]
        from = "Anna Berg <anna@example.com>"
        route = "bench"
        reply_to = "token"
        return_path = "bounce"
        daily_limit = 10000
        min_gap = "0s"
        """.replace("\n        ", "\n") + extra)
    people = write("own/contacts.csv", "email,first_name\n" + "".join(f"person-{n}@customers.example.net,Bo{n}\n" for n in range(contacts)))
    sequence = write("own/one.toml", f'name = "one"\n\n[[step]]\ndelay = "PT0S"\nsubject = "A letter"\ntext = """\n{body}"""\n')
    for folder in ("own/state", "own/run"):
        os.makedirs(path(folder), exist_ok=True)
    succeed(POSTRIDER, "--conf", conf, "contacts", "import", people)
    succeed(POSTRIDER, "--conf", conf, "sequence", "load", sequence)
    succeed(POSTRIDER, "--conf", conf, "enroll", "one", "--all")
    return conf


def postrider(encrypted, certificate):
    sink = Sink(certificate if encrypted else None)
    body = "Hello {{first_name}},\n\n" + "\n\n".join(WORDS * 3 for _ in range(12)) + "\n"
    conf = installation(sink, certificate if encrypted else None, MESSAGES, body, EXTRA)
    log = open(path("own/serve.log"), "w")
    began = time.monotonic()
    serve = subprocess.Popen([POSTRIDER, "--conf", conf, "serve"], stdout=log, stderr=log)
    counts = sink.wait(MESSAGES, serve)
    seconds = time.monotonic() - began
    # The last outcomes are stored; nothing waits any more.
    while json.loads(succeed(POSTRIDER, "--conf", conf, "queue", "--json").split("\n")[0] or "{}"):
        time.sleep(0.02)
    spent, held = processor_seconds(serve.pid), memory(serve.pid)
    serve.send_signal(signal.SIGTERM)
    serve.wait(60)
    sink.end()
    return {"rate": MESSAGES / seconds, "spent": spent * 1000 / MESSAGES, "memory": held, "counts": counts}


# --- Postfix with OpenDKIM ----------------------------------------------------------------------------------------------------------

MASTER = """127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
tlsproxy unix - - n - 0 tlsproxy
"""


def postfix(encrypted, certificate):
    shutil.rmtree(path("peer"), ignore_errors=True)
    os.makedirs(path("peer/queue"))
    os.makedirs(path("peer/data"))
    shutil.chown(path("peer/data"), "postfix")
    sink = Sink(certificate if encrypted else None)
    daemons = succeed("postconf", "-d", "-h", "daemon_directory").strip()
    port = free_port()
    os.makedirs(path("peer/milter"))
    milter = path("peer/milter/socket")
    succeed("openssl", "genrsa", "-out", path("peer/dkim.pem"), "2048")
    os.chmod(path("peer/dkim.pem"), 0o600)
    write("peer/opendkim.conf", f"Mode s\nCanonicalization relaxed/relaxed\nDomain example.com\nSelector s1\nKeyFile {path('peer/dkim.pem')}\n"
          f"Socket local:{milter}\nUMask 000\nInternalHosts 127.0.0.0/8\nSyslog no\nRequireSafeKeys no\n")
    settings = {
        "compatibility_level": "3.6", "queue_directory": path("peer/queue"), "data_directory": path("peer/data"),
        "daemon_directory": daemons, "mail_owner": "postfix", "setgid_group": "postdrop", "maillog_file": path("peer/postfix.log"),
        "maillog_file_prefixes": FOLDER, "myhostname": "mx.example.com", "mydestination": "", "local_recipient_maps": "",
        "alias_maps": "", "alias_database": "", "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4",
        "smtpd_peername_lookup": "no", "smtp_dns_support_level": "disabled", "mynetworks": "127.0.0.0/8",
        "relayhost": f"[127.0.0.1]:{sink.port}", "smtpd_milters": f"unix:{milter}", "milter_default_action": "tempfail",
        "default_destination_concurrency_limit": str(SESSIONS), "initial_destination_concurrency": str(SESSIONS),
        "smtp_tls_security_level": "encrypt" if encrypted else "none", "smtp_tls_connection_reuse": "yes" if encrypted else "no",
    }
    write("peer/conf/main.cf", "".join(f"{key} = {value}\n" for key, value in settings.items()))
    write("peer/conf/master.cf", MASTER.format(port=port))
    subprocess.run(["postfix", "-c", path("peer/conf"), "check"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    opendkim = subprocess.Popen(["opendkim", "-f", "-x", path("peer/opendkim.conf")])
    while not os.path.exists(milter):
        if opendkim.poll() is not None:
            sys.exit("outbound.py: opendkim ended")
        time.sleep(0.02)
    master = subprocess.Popen([f"{daemons}/master", "-s", "-c", path("peer/conf")], env=dict(os.environ, MAIL_CONFIG=path("peer/conf")),
                              start_new_session=True)
    wait_for_port(port, master)
    began = time.monotonic()
    feed = subprocess.Popen(["smtp-source", "-s", str(SESSIONS), "-m", str(MESSAGES), "-l", "5000", "-f", "anna@example.com",
                             "-t", "person@customers.example.net", f"127.0.0.1:{port}"])
    counts = sink.wait(MESSAGES, master)
    seconds = time.monotonic() - began
    feed.wait(30)
    while succeed("postqueue", "-c", path("peer/conf"), "-j").strip():
        time.sleep(0.05)
    spent, held = processor_seconds(master.pid, opendkim.pid), memory(master.pid, opendkim.pid)
    os.killpg(master.pid, signal.SIGTERM)
    master.wait(30)
    opendkim.terminate()
    opendkim.wait(30)
    sink.end()
    return {"rate": MESSAGES / seconds, "spent": spent * 1000 / MESSAGES, "memory": held, "counts": counts}


# --- the run ------------------------------------------------------------------------------------------------------------------------

EXTRA = os.environ.get("BENCH_CONF", "")


def main():
    if not 1 <= MESSAGES <= 10_000:
        sys.exit("outbound.py: an identity may send 10,000 messages a day; choose 1 to 10,000")
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.makedirs(FOLDER)
    path.must_be_open_to_others()
    succeed("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path("sink.key"),
            "-out", path("sink.pem"), "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    certificate = (path("sink.pem"), path("sink.key"))
    rsa = signatures_per_second()
    print(f"outbound, {MESSAGES} messages, {SESSIONS} connections, medians of {TURNS}, in turn; {os.cpu_count()} processors, load {load()}, "
          f"openssl speed rsa2048 {rsa:,.0f}/s on one core", flush=True)
    for encrypted in (False, True):
        results = {"Postrider": [], "Postfix + OpenDKIM": []}
        for _ in range(TURNS):
            results["Postrider"].append(postrider(encrypted, certificate))
            results["Postfix + OpenDKIM"].append(postfix(encrypted, certificate))
        print("over STARTTLS:" if encrypted else "plain:")
        medians = {}
        for name, runs in results.items():
            medians[name] = {key: statistics.median(run[key] for run in runs) for key in ("rate", "spent", "memory")}
            one, last = medians[name], runs[-1]["counts"]
            rates = sorted(run["rate"] for run in runs)
            print(f"  {name:20} {one['rate']:8,.0f} messages/s ({rates[0]:,.0f} to {rates[-1]:,.0f}), {one['spent']:.2f} CPU-s per 1,000, "
                  f"{one['memory']:.0f} MB; {last[1]} connections, {last[2]} with TLS, {last[3]} unsigned")
        ours, peer = medians["Postrider"], medians["Postfix + OpenDKIM"]
        print(f"  ratio of messages/s {ours['rate'] / peer['rate']:.2f}, of CPU per message {ours['spent'] / peer['spent']:.2f}; "
              f"{ours['rate'] / rsa:.0%} of the RSA limit of one core", flush=True)
    rsa_after = signatures_per_second()
    print(f"openssl speed rsa2048 afterwards {rsa_after:,.0f}/s")


if __name__ == "__main__":
    main()
