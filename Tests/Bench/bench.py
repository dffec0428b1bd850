"""What the conductors of scripts/bench have in common: folders, ports, processes and what they cost."""

import os
import re
import socket
import subprocess
import sys
import time

TICK = os.sysconf("SC_CLK_TCK")
LIMIT = 900


class Folder:
    def __init__(self, path):
        self.path = os.path.abspath(path)

    def __call__(self, *names):
        return os.path.join(self.path, *names)

    def write(self, name, text, mode=0o644):
        os.makedirs(os.path.dirname(self(name)), exist_ok=True)
        with open(self(name), "w") as file:
            file.write(text)
        os.chmod(self(name), mode)
        return self(name)

    def must_be_open_to_others(self):
        """Servers run under users of their own and must reach what is theirs."""
        folder = self.path
        while folder != "/":
            if os.stat(folder).st_mode & 0o005 != 0o005 and os.stat(folder).st_uid == os.getuid():
                sys.exit(f"bench: other users cannot reach {folder}")
            folder = os.path.dirname(folder)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"bench: {process.args[0]} ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    sys.exit(f"bench: nothing answers on port {port}")


def succeed(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=LIMIT, **more)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(command)}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def sink_conf(folder, more=""):
    """Writes a conf whose mail goes nowhere, with its state below the folder; its path."""
    os.makedirs(folder("state"))
    key = folder.write("token.key", "5a" * 32 + "\n", 0o600)
    return folder.write("postrider.conf", f"""[main]
myhostname = "out.example.com"
state_directory = "{folder('state')}"
run_directory = "{folder.path}"
[tokens]
key_files = ["{key}"]
domain = "r.example.com"
[route.out]
type = "sink"
{more}[identity.anna]
from = "Anna <anna@example.com>"
""")


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:13])) / TICK


def memory(pid):
    """Proportional set size in MB."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M).group(1)) / 1024


def highest_memory(pid):
    """The largest resident set so far in MB."""
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"^VmHWM:\s+(\d+)", file.read(), re.M).group(1)) / 1024


def load():
    with open("/proc/loadavg") as file:
        return file.read().split()[0]


def end(process):
    process.terminate()
    process.wait(60)
