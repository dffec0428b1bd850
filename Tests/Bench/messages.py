"""The conductor of scripts/bench messages: runs Postrider and its peers in turn, and prints medians and their ratio.

usage: messages.py MESSAGE_BENCH GMIME_PEER CORPORA_FOLDER_OR_EMPTY SECONDS
"""

import email
import email.policy
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

OURS, GMIME, CORPORA, SECONDS = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])
TURNS = 7


def run(*command):
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def note_load():
    with open("/proc/loadavg") as file:
        load = file.read().split()[0]
    print(f"  machine: {os.cpu_count()} processors, load {load}")


# --- messages ---------------------------------------------------------------------------------------------------------------

def messages_of(path):
    """The messages in a file: none when it does not look like one, many when it is an mbox."""
    with open(path, "rb") as file:
        data = file.read()
    if len(data) < 64 or len(data) > 8 << 20:
        return []
    if data.startswith(b"From "):
        pieces = re.split(rb"(?:\A|(?<=\n\n)|(?<=\r\n\r\n))From [^\r\n]*\r?\n", data)
        return [piece for piece in pieces if re.match(rb"[!-9;-~]+:", piece)]
    head = re.split(rb"\r?\n\r?\n", data, maxsplit=1)[0]
    fields = [line for line in re.split(rb"\r\n|\n|\r", head) if line and line[:1] not in b" \t"]
    good = sum(1 for line in fields if re.match(rb"[!-9;-~]+[ \t]*:", line))
    known = re.search(rb"(?im)^(from|to|subject|received|content-type|date):", head)
    return [data] if known and good >= 2 and good * 10 >= len(fields) * 9 else []


def collect(root, folder):
    count = 0
    for base, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            for message in messages_of(os.path.join(base, name)):
                with open(f"{folder}/{count:06}.eml", "wb") as file:
                    file.write(message)
                count += 1
    return count


# --- Python's email as a peer ---------------------------------------------------------------------------------------------------

def python_parse(folder, policy, seconds):
    messages = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            messages.append(file.read())
    start = time.process_time()
    count = size = 0
    while time.process_time() - start < seconds:
        for data in messages:
            try:
                message = email.message_from_bytes(data, policy=policy)
                for name in ("From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"):
                    value = message[name]
                    if policy is email.policy.compat32 and value is not None:
                        str(email.header.make_header(email.header.decode_header(value)))
                for part in message.walk():
                    if part.is_multipart():
                        continue
                    part.get_filename()
                    content = part.get_payload(decode=True)
                    if part.get_content_maintype() == "text" and content is not None:
                        content.decode(part.get_content_charset("utf-8"), "replace")
            except (LookupError, ValueError, AttributeError, IndexError, TypeError, KeyError):
                pass  # foreign mail that this peer cannot read
            count += 1
            size += len(data)
            if time.process_time() - start >= seconds:
                break
    return {"messages": count, "bytes": size, "seconds": time.process_time() - start}


def per_second(result):
    return result["messages"] / result["seconds"]


def describe(name, results):
    rate = statistics.median(per_second(result) for result in results)
    low, high = min(map(per_second, results)), max(map(per_second, results))
    megabytes = statistics.median(result["bytes"] / result["seconds"] for result in results) / 1e6
    one = results[0]
    found = "".join(f", {one[key]} {word}" for key, word in
                    (("addresses", "addresses"), ("parts", "parts"), ("textBytes", "octets of text"), ("fileBytes", "octets of files")) if key in one)
    print(f"  {name:24} {rate:9,.0f} messages/s {megabytes:7.1f} MB/s   ({low:,.0f} to {high:,.0f}){found}")
    return rate


def parse(title, folder):
    count = len(os.listdir(folder))
    size = sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))
    if count == 0:
        return
    print(f"parse of {title}: {count} messages, {size / count / 1000:.1f} KB on average; medians of {TURNS}, in turn, processor time")
    note_load()
    ours, gmime = [], []
    for _ in range(TURNS):
        ours.append(run(OURS, "parse", folder, str(SECONDS)))
        gmime.append(run(GMIME, "parse", folder, str(SECONDS)))
    rate, peer = describe("Postrider", ours), describe("GMime", gmime)
    describe("Python email, compat32", [python_parse(folder, email.policy.compat32, SECONDS)])
    describe("Python email, default", [python_parse(folder, email.policy.default, SECONDS)])
    note_load()
    print(f"  Postrider / GMime: {rate / peer:.2f}\n")


# --- memory -----------------------------------------------------------------------------------------------------------------------

def memory(kind, title, folder):
    path = f"{folder}/{kind}.eml"
    subprocess.run([OURS, "big", kind, "50", path], check=True)
    ours, gmime = run(OURS, "memory", path), run(GMIME, "memory", path)
    os.remove(path)
    size = ours["bytes"]
    print(f"memory, {title}, {size / 1e6:.0f} MB, the message itself included:")
    print(f"  Postrider {ours['decodedPeak'] / size:.2f} times its size to decode every part, {ours['textPeak'] / size:.2f} with the readable text")
    print(f"  GMime     {gmime['decodedPeak'] / size:.2f} times its size to decode every part\n")


# --- signing ------------------------------------------------------------------------------------------------------------------------

def openssl_signs():
    lines = subprocess.run(["openssl", "speed", "-seconds", str(max(1, round(SECONDS))), "rsa2048"], check=True,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.splitlines()
    fields = next(line for line in lines if line.startswith("rsa 2048")).split()
    return float(fields[5])


def dkimpy_signs(folder, seconds):
    """dkimpy with the RSA operation of the C library, or None where it is not installed."""
    try:
        import dkim
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        return None
    with open(f"{folder}/key.pem", "rb") as file:
        key = file.read()
    with open(f"{folder}/message.eml", "rb") as file:
        message = file.read()
    loaded = load_pem_private_key(key, None)
    dkim.parse_pem_private_key = lambda pem: loaded
    dkim.RSASSA_PKCS1_v1_5_sign = lambda digest, key: key.sign(digest.digest(), PKCS1v15(), Prehashed(SHA256()))
    start, count = time.process_time(), 0
    while time.process_time() - start < seconds:
        dkim.sign(message, b"bench", b"example.com", key, canonicalize=(b"relaxed", b"relaxed"))
        count += 1
    return count / (time.process_time() - start)


def sign(folder):
    subprocess.run([OURS, "key", folder], check=True)
    ours, openssl = [], []
    for _ in range(TURNS):
        result = run(OURS, "sign", str(SECONDS))
        ours.append(result["signatures"] / result["seconds"])
        openssl.append(openssl_signs())
    print(f"DKIM relaxed/relaxed rsa-sha256 with 2048 bits, a message of {result['bytes']} octets, one core; medians of {TURNS}, in turn")
    note_load()
    rate, limit = statistics.median(ours), statistics.median(openssl)
    print(f"  Postrider                {rate:9,.0f} signatures/s   ({min(ours):,.0f} to {max(ours):,.0f})")
    print(f"  openssl speed rsa2048    {limit:9,.0f} signatures/s   ({min(openssl):,.0f} to {max(openssl):,.0f})")
    peer = dkimpy_signs(folder, SECONDS)
    if peer is not None:
        print(f"  dkimpy, RSA in C         {peer:9,.0f} signatures/s")
    print(f"  Postrider / openssl: {rate / limit:.3f}\n")


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/replies")
        subprocess.run([OURS, "replies", "1000", f"{folder}/replies"], check=True)
        parse("replies made for this", f"{folder}/replies")
        if CORPORA:
            for title, root in (("the mimekit set", f"{CORPORA}/mimekit"), ("all corpora", CORPORA)):
                target = f"{folder}/{os.path.basename(root)}-messages"
                os.mkdir(target)
                collect(root, target)
                parse(title, target)
        memory("files", "five attachments", folder)
        memory("text", "one long text", folder)
        sign(folder)


main()
