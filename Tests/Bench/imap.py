"""The conductor of scripts/bench imap: a mailbox of a real Dovecot read into Postrider's database and, by mbsync, into a Maildir.

usage: imap.py POSTRIDER FOLDER MESSAGES

Both log in in clear over loopback and read all messages of 7 KB once; each is durable when it ends: Postrider by 'probe imap', mbsync with
FSync. In turn, each into an empty folder on the same disk.
"""

import os
import pwd
import shutil
import statistics
import subprocess
import sys
import time

from bench import Folder, end, free_port, highest_memory, load, succeed, wait_for_port

POSTRIDER, MESSAGES = sys.argv[1], int(sys.argv[3])
folder = Folder(sys.argv[2])
TURNS = 3
USER = "ann@example.com"


def dovecot():
    root = os.geteuid() == 0
    own = pwd.getpwuid(os.geteuid()).pw_name
    mail = "mail" if root else own
    maildir = folder("mail", USER, "Maildir")
    for name in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(maildir, name))
    line = "Thank you for your letter; I shall look into it next week and write again.\r\n"
    for number in range(MESSAGES):
        text = (f"From: Bo <bo@example.net>\r\nTo: {USER}\r\nSubject: Re: number {number}\r\nMessage-ID: <{number}@example.net>\r\n"
                f"Date: Mon, 2 Mar 2026 09:45:18 +0100\r\n\r\n") + line * 88
        with open(os.path.join(maildir, "cur", f"{1000000 + number}.M{number}P1.host,S={len(text)},W={len(text)}:2,"), "w", newline="") as file:
            file.write(text)
    if root:
        succeed("chown", "-R", "mail:mail", folder("mail"))
    folder.write("users", f"{USER}:{{PLAIN}}secret\n")
    port = free_port()
    conf = folder.write("dovecot.conf", f"""
        base_dir = {folder('run')}
        state_dir = {folder('state')}
        log_path = {folder('dovecot.log')}
        protocols = imap
        listen = 127.0.0.1
        default_internal_user = {'dovecot' if root else own}
        default_login_user = {'dovenull' if root else own}
        first_valid_uid = 1
        auth_mechanisms = plain
        disable_plaintext_auth = no
        ssl = no
        mail_location = maildir:{folder('mail')}/%u/Maildir
        passdb {{
          driver = passwd-file
          args = scheme=PLAIN username_format=%u {folder('users')}
        }}
        userdb {{
          driver = static
          args = uid={mail} gid={mail} home={folder('mail')}/%u
        }}
        namespace inbox {{
          inbox = yes
        }}
        service imap-login {{
          chroot =
          inet_listener imap {{
            port = {port}
          }}
          inet_listener imaps {{
            port = 0
          }}
        }}
        service anvil {{
          chroot =
        }}
        service stats {{
          chroot =
        }}
        """)
    process = subprocess.Popen(["dovecot", "-F", "-c", conf])
    wait_for_port(port, process)
    return process, port


def postrider(port):
    shutil.rmtree(folder("own"), ignore_errors=True)
    began = time.monotonic()
    with open(folder("seen"), "w") as seen:
        process = subprocess.Popen([POSTRIDER, "probe", "imap", "--host", "127.0.0.1", "--port", str(port), "--tls", "none", "--user", USER,
                                    "--password-file", folder("secret"), "--state", folder("own")], stdout=seen)
        held = 0
        while process.poll() is None:
            try:
                held = max(held, highest_memory(process.pid))
            except (OSError, AttributeError):
                pass
            time.sleep(0.02)
    seconds = time.monotonic() - began
    with open(folder("seen")) as seen:
        count = sum(1 for _ in seen)
    if process.returncode != 0 or count != MESSAGES:
        sys.exit(f"imap.py: postrider ended with {process.returncode} after {count} messages")
    return MESSAGES / seconds, held


def mbsync(port):
    shutil.rmtree(folder("peer"), ignore_errors=True)
    os.makedirs(folder("peer"))
    conf = folder.write("mbsyncrc", f"""
FSync yes

IMAPAccount bench
Host 127.0.0.1
Port {port}
User {USER}
PassCmd "cat {folder('secret')}"
SSLType None
AuthMechs LOGIN PLAIN

IMAPStore far
Account bench

MaildirStore near
Path {folder('peer')}/
Inbox {folder('peer')}/INBOX

Channel bench
Far :far:
Near :near:
Create Near
Sync Pull
SyncState {folder('peer')}/
""")
    began = time.monotonic()
    succeed("mbsync", "-c", conf, "-q", "-a")
    seconds = time.monotonic() - began
    count = sum(len(os.listdir(folder("peer", "INBOX", name))) for name in ("cur", "new"))
    if count != MESSAGES:
        sys.exit(f"imap.py: mbsync brought {count} messages")
    return MESSAGES / seconds, 0


def main():
    shutil.rmtree(folder.path, ignore_errors=True)
    os.makedirs(folder.path)
    folder.must_be_open_to_others()
    folder.write("secret", "secret", 0o600)
    server, port = dovecot()
    print(f"imap, {MESSAGES} messages of 7 KB from Dovecot, medians of {TURNS}, in turn; {os.cpu_count()} processors, load {load()}", flush=True)
    # Dovecot makes its index at the first look.
    mbsync(port)
    own, peer = [], []
    for _ in range(TURNS):
        own.append(postrider(port))
        peer.append(mbsync(port))
    end(server)
    rate, other = statistics.median(run[0] for run in own), statistics.median(run[0] for run in peer)
    print(f"  Postrider  {rate:8,.0f} messages/s, at most {max(run[1] for run in own):.0f} MB resident")
    print(f"  mbsync     {other:8,.0f} messages/s with FSync\n  ratio {rate / other:.2f}")


main()
