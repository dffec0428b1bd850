"""The conductor of scripts/bench classify: runs `postrider classify --json` over the corpora and prints what came out right.

usage: classify.py POSTRIDER CORPORA REASONS [--misses]

--misses prints every record that came out wrong, for the reader who wants to know why.
"""

import collections
import email
import email.header
import json
import os
import re
import subprocess
import sys
import tempfile
import time

POSTRIDER, CORPORA, REASONS = sys.argv[1], sys.argv[2], sys.argv[3]
MISSES = "--misses" in sys.argv
ONLY = [argument[7:] for argument in sys.argv if argument.startswith("--only=")]


def path(name):
    return os.path.join(CORPORA, name)


def load(name):
    with open(path(name), encoding="utf-8") as file:
        return json.load(file)


def classify(files):
    """What the command says about each file, by file name."""
    found = {}
    for start in range(0, len(files), 500):
        out = subprocess.run([POSTRIDER, "classify", "--json", *files[start:start + 500]], check=True, stdout=subprocess.PIPE).stdout
        for line in out.decode("utf-8").split("\n"):
            if line:
                answer = json.loads(line)
                found[answer["file"]] = answer
    return found


def classify_texts(texts):
    """Texts that have no header get one: a plain answer from Ann Example."""
    head = (
        "From: Ann Example <ann@example.com>\r\nTo: Bo Sender <bo@example.org>\r\nSubject: Re: Hello\r\n"
        "Date: {date}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n{more}\r\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        names = {}
        for number, (key, text, more, date) in enumerate(texts):
            name = f"{folder}/{number:05}.eml"
            names[name] = key
            with open(name, "wb") as file:
                file.write(head.format(more=more, date=date).encode() + text)
        return {names[name]: answer for name, answer in classify(sorted(names)).items()}


DATE = "Fri, 06 Mar 2026 10:00:00 +0100"


def same(a, b):
    return " ".join(a.split()) == " ".join(b.split())


class Share:
    def __init__(self):
        self.right, self.all = 0, 0

    def add(self, right):
        self.all += 1
        self.right += bool(right)
        return right

    def __str__(self):
        return f"{self.right}/{self.all} = {100 * self.right / max(1, self.all):.1f} %"


def row(name, value, goal=""):
    print(f"  {name:<58} {str(value):<24} {goal}")


def miss(*words):
    if MISSES:
        print("   ", *words)


def confusion(pairs, most=40):
    wrong = collections.Counter((want, got) for want, got in pairs if want != got)
    for (want, got), count in wrong.most_common(most):
        print(f"      {want} -> {got}: {count}")


def table(pairs):
    """A confusion table: rows are labels, columns what was read."""
    names = sorted({name for pair in pairs for name in pair})
    counts = collections.Counter(pairs)
    print("    " + " " * 22 + " ".join(f"{name[:6]:>6}" for name in names))
    for want in names:
        if any(counts[want, got] for got in names):
            print(f"    {want:<22}" + " ".join(f"{counts[want, got] or '.':>6}" for got in names))


def f1(pairs):
    scores = {}
    for name in sorted({want for want, _ in pairs}):
        hit = sum(1 for want, got in pairs if want == got == name)
        precision = hit / max(1, sum(1 for _, got in pairs if got == name))
        recall = hit / max(1, sum(1 for want, _ in pairs if want == name))
        scores[name] = (precision, recall, 2 * precision * recall / (precision + recall) if hit else 0.0)
    return scores


# --- reports ----------------------------------------------------------------------------------------------------------------

def sisimai():
    print("\nsisimai set (reports as mail servers wrote them), per record")
    with open(REASONS, encoding="utf-8") as file:
        reasons = json.load(file)
    labels = load("labels/sisimai.json")
    folder = path("sisimai-set-of-emails/maildir/bsd")
    labels = {name: wanted for name, wanted in labels.items() if os.path.exists(f"{folder}/{name}")}
    found = classify([f"{folder}/{name}" for name in sorted(labels)])
    kind, hard, status, code, recipient, count = Share(), Share(), Share(), Share(), Share(), Share()
    pairs = []
    for name, wanted in sorted(labels.items()):
        answer = found[f"{folder}/{name}"]
        bounces = answer["bounces"]
        first = wanted[0]["reason"]
        if first in ("feedback", "vacation", "delivered"):
            want = reasons[first]
            for _ in wanted:
                got = answer["class"] if answer["class"] not in ("bounce", "delay") else "bounce"
                pairs.append((first, first if kind.add(got in want) else got))
                hard.add(not any(bounce["permanent"] for bounce in bounces))
                if got not in want:
                    miss("class", name, first, got, [e["rule"] for e in answer["evidence"]])
            listed = answer["complaint"]["original_recipients"] if answer["complaint"] and "original_recipients" in answer["complaint"] else None
            count.add(not bounces and (listed is None or len(listed) == len(wanted) or len(wanted) == 1))
            continue
        if not count.add(len(bounces) == len(wanted)):
            miss("count", name, "want", len(wanted), "got", len(bounces), answer["class"], [b["recipient"] for b in bounces])
        with open(f"{folder}/{name}", "rb") as file:
            data = file.read()
            raw = data.decode("latin-1").lower() + data.decode("utf-8", "replace").lower() + decoded(data)
        for index, want in enumerate(wanted):
            reason = want["reason"]
            if index >= len(bounces):
                pairs.append((reason, "missing"))
                for share in (kind, hard, status, code, recipient):
                    share.add(False)
                continue
            bounce = bounces[index]
            right = kind.add(bounce["class"] in reasons[reason])
            pairs.append((reason, reason if right else bounce["class"]))
            if not right:
                miss("class", name, reason, want["status"], "got", bounce["class"], [e["rule"] for e in answer["evidence"][-2:]], bounce["diagnostic"][:300])
            if not hard.add(bounce["permanent"] == want["hardbounce"]):
                miss("hard", name, reason, want["hardbounce"], bounce["class"], bounce["status"], bounce["diagnostic"][:200])
            # Where a report has no status, the labels carry one that their makers derived from the reason: x.0.9nn.
            derived = re.fullmatch(r"[45]\.0\.9\d\d", want["status"])
            if not derived and not status.add((bounce["status"] or "") == want["status"]):
                miss("status", name, reason, want["status"], "got", bounce["status"], bounce["reply_code"], bounce["diagnostic"][:200])
            if not code.add(str(bounce["reply_code"] or "") == want["replycode"]):
                miss("code", name, want["replycode"], "got", bounce["reply_code"], bounce["diagnostic"][:160])
            if not recipient.add(named(bounce["recipient"], raw)):
                miss("recipient", name, bounce["recipient"])
    row("class by the map of Tests/Bench/reasons.json", kind, "97 %")
    row("permanent or not", hard, "99 %")
    row("status", status, "98 %")
    row("reply code", code)
    row("recipient named in the report (there are no labels)", recipient, "98 %")
    row("record count per file", count, "98 %")
    confusion(pairs)

    mac, dos = path("sisimai-set-of-emails/maildir/mac"), path("sisimai-set-of-emails/maildir/dos")
    for title, place, goal in (("mac/ (CR only) read as the same files with LF are", mac, "80/80"), ("dos/ (CRLF) likewise", dos, "80/80")):
        if not os.path.isdir(place):
            continue
        names = [name for name in sorted(os.listdir(place)) if os.path.exists(f"{folder}/{name}")]
        theirs = classify([f"{place}/{name}" for name in names])
        ours = classify([f"{folder}/{name}" for name in names])
        equal = Share()
        for name in names:
            a, b = theirs[f"{place}/{name}"], ours[f"{folder}/{name}"]
            keys = ("recipient", "action", "status", "reply_code", "class", "permanent")
            same_bounces = [[x[k] for k in keys] for x in a["bounces"]] == [[x[k] for k in keys] for x in b["bounces"]]
            if not equal.add(a["class"] == b["class"] and same_bounces and (a["class"] != "neutral")):
                miss("ends", place, name, a["class"], b["class"])
        row(title, equal, goal)
    place = path("sisimai-set-of-emails/maildir/not")
    quiet = Share()
    for name, answer in classify([f"{place}/{name}" for name in sorted(os.listdir(place))]).items():
        quiet.add(not answer["bounces"] and answer["class"] not in ("bounce", "delay"))
    row("not/ stays quiet", quiet, "3/3")


def decoded(data):
    """The texts of a message with their transfer encodings undone."""
    texts = []
    for part in email.message_from_bytes(data).walk():
        if part.get_content_maintype() == "text":
            texts.append((part.get_payload(decode=True) or b"").decode("utf-8", "replace"))
    return "\n".join(texts).lower()


def named(address, raw):
    """Whether the report names the address, under whichever of its spellings."""
    if not address:
        return False
    local, _, domain = address.rpartition("@")
    spellings = {address, f"{local}@{domain.encode('idna').decode()}" if domain else address}
    spellings.add(f"{email.header.Header(local, 'utf-8').encode()}@{domain}")
    return any(spelling.lower() in raw for spelling in spellings)


def flufl():
    print("\nflufl.bounce, per file")
    labels = load("labels/flufl.json")
    folder = path("flufl.bounce/tests/data")
    found = classify([f"{folder}/{name}" for name in sorted(labels)])
    exact, kinds = Share(), Share()
    for name, label in sorted(labels.items()):
        bounces = found[f"{folder}/{name}"]["bounces"]
        permanent = {address.lower() for address in label["permanent"]}
        temporary = {address.lower() for address in label["temporary"]}
        got = {(b["recipient"] or "").lower() for b in bounces}
        if not permanent and not temporary:
            if bounces:
                miss("flufl", name, "wants none, got", got)
            continue
        right = exact.add(got == permanent | temporary)
        kind = kinds.add(right and {(b["recipient"] or "").lower() for b in bounces if b["action"] == "failed"} == permanent)
        if not kind:
            miss("flufl", name, "want", sorted(permanent), sorted(temporary), "got", found[f"{folder}/{name}"]["class"], [(b["recipient"], b["action"]) for b in bounces])
    row("exact addresses", exact, "111/111")
    row("and failed or delayed as labelled", kinds, "111/111")


def automatic():
    print("\nautomatic replies and bounces that look like them")
    found, quiet = Share(), Share()
    labels = {name: kind for name, kind in load("labels/autoreply.json").items() if not name.startswith("_") and os.path.exists(path(name))}
    answers = classify([path(name) for name in sorted(labels)])
    for name, kind in sorted(labels.items()):
        answer = answers[path(name)]
        if kind == "autoreply":
            right = found.add(answer["automatic"] and answer["class"] not in ("bounce", "delay", "complaint"))
        else:
            right = answer["class"] == "unsubscribe" or (answer["complaint"] or {}).get("type") == "opt-out"
        if not right:
            miss("autoreply", name, kind, answer["class"], answer["automatic"])
    bounces = load("labels/autosubmitted_bounces.json")
    for name, answer in classify([path(name) for name in bounces if os.path.exists(path(name))]).items():
        if not quiet.add(answer["class"] in ("bounce", "delay", "complaint")):
            miss("autosubmitted", name, answer["class"], [e["rule"] for e in answer["evidence"]])
    row("auto-replies found", found, "all")
    row("bounces with Auto-Submitted read as reports", quiet, "all")


# --- own words --------------------------------------------------------------------------------------------------------------

def reply_text():
    print("\nreply text, exact after white space is collapsed")

    def measure(title, pairs, goal):
        share = Share()
        answers = classify_texts([(key, text, "", DATE) for key, text, _ in pairs])
        for key, _, want in pairs:
            got = answers[key]["reply_text"]
            if not share.add(same(got, want)):
                miss("text", key, "\n      want", " ".join(want.split())[-500:], "\n      got ", " ".join(got.split())[-500:])
        row(title, share, goal)

    folder = path("email_reply_trimmer")
    pairs = []
    for name in sorted(os.listdir(f"{folder}/emails")):
        want = f"{folder}/trimmed/{name}"
        with open(f"{folder}/emails/{name}", "rb") as file:
            text = file.read()
        expected = open(want, encoding="utf-8").read() if os.path.exists(want) else ""
        pairs.append((name, text, expected))
    measure("email_reply_trimmer", pairs, "33/33")

    # What the project's own tests say in words; the files themselves are read in place.
    folder = path("github-email_reply_parser/test/emails")
    wanted = {
        "email_1_6.txt": "I get proper rendering as well. Sent from a magnificent torch of pixels",
        "email_2_1.txt": "Outlook with a reply",
        "email_iPhone.txt": "Here is another email",
        "email_BlackBerry.txt": "Here is another email",
        "email_multi_word_sent_from_my_mobile_device.txt": "Here is another email",
        "email_sent_from_my_not_signature.txt": "Here is another email Sent from my desk, is much easier then my mobile phone.",
        "email_bullets.txt": "test 2 this should list second and have spaces and retain this formatting - how about bullets - and another",
        "email_2_2.txt": "Outlook with a reply directly above line",
    }
    pairs = [(name, open(f"{folder}/{name}", "rb").read(), want) for name, want in wanted.items() if os.path.exists(f"{folder}/{name}")]
    measure("github", pairs, "8/8")

    folder = path("crisp-email-reply-parser/test/fixtures")
    pairs = [(name, open(f"{folder}/{name}", "rb").read(), label["expected"]) for name, label in sorted(load("labels/crisp.json").items())]
    measure("crisp", pairs, "90 %")

    own = "Thank you, that works for me.\n\nTuesday at ten?"
    quoted = ["Hello Ann,", "", "shall we meet next week?", "", "Bo"]

    def filled(text, date, sender):
        for key in ("%1$s", "$date", "date$", "$дата", "%s" if "%2$s" in text else "\0"):
            text = text.replace(key, date)
        for key in ("%2$s", "$sender", "sender$", "$праќач", "şandyar", "%s"):
            text = text.replace(key, sender)
        return text

    attributions = load("l10n-mail-phrases/attribution.json")
    date, sender = "2026-03-04 09:45", "Bo Sender"
    for title, sender, mark, goal in (
        ("l10n attributions, with quote marks", "Bo Sender", "> ", "95 %"),
        ("l10n attributions, with address and quote marks", "Bo Sender <bo@example.org>", "> ", "95 %"),
        ("l10n attributions, with address, quote unmarked", "Bo Sender <bo@example.org>", "", ""),
        ("l10n attributions, quote unmarked", "Bo Sender", "", ""),
    ):
        pairs = []
        for number, phrase in enumerate(attributions):
            line = filled(phrase["text"], date, sender)
            text = "\n".join([own, "", line, *[(mark + quote).rstrip() for quote in quoted]])
            pairs.append((f"{number} {phrase['lang']} {line}", text.encode(), own))
        measure(title, pairs, goal)
    pairs = []
    for number, phrase in enumerate(load("l10n-mail-phrases/separator.json")):
        line = phrase["text"] if phrase["text"].startswith("--") else f"-------- {phrase['text']} --------"
        pairs.append((f"{number} {phrase['lang']} {line}", "\n".join([own, "", line, "", *quoted]).encode(), own))
    measure("l10n separators", pairs, "")


# --- constructed replies ----------------------------------------------------------------------------------------------------

def constructed():
    print("\nconstructed replies (written for the project, no real mail; looked at while rules and model were made)")
    with open(path("replies-constructed/labels.jsonl"), encoding="utf-8") as file:
        labels = [json.loads(line) for line in file if line.strip()]
    folder = path("replies-constructed/eml")
    found = classify([f"{folder}/{label['file']}" for label in labels])
    pairs, intents, texts, machine, dates, come, referred = [], [], Share(), Share(), Share(), Share(), Share()
    signatures = Share()
    languages = collections.defaultdict(Share)
    invented = 0
    bins = collections.defaultdict(Share)
    for label in labels:
        answer = found[f"{folder}/{label['file']}"]
        want, got = label["class"], answer["class"]
        pairs.append((want, got))
        languages[label["language"]].add(want == got)
        bins[min(9, int(answer["confidence"] * 10))].add(want == got)
        if want != got:
            miss("class", label["file"], got, answer["confidence"], "|", " ".join(answer["reply_text"].split())[:260], "|", [(e["rule"].split("/")[-1], e["text"][:40]) for e in answer["evidence"]])
        if not machine.add(answer["automatic"] == label["automatic"]):
            miss("automatic", label["file"], got, answer["automatic"])
        if not texts.add(same(answer["reply_text"], label["expected_reply_text"])):
            miss("text", label["file"], "\n      want", label["expected_reply_text"], "\n      got ", " ".join(answer["reply_text"].split()))
        signatures.add(same(answer["signature"] or "", label["signature"] or ""))
        intent = label["intent"]
        if want == got and intent in ("interested", "ready_to_meet", "need_more_info", "not_interested"):
            intents.append((intent, answer["intent"]))
            if intent != answer["intent"]:
                miss("intent", label["file"], intent, answer["intent"], "|", " ".join(answer["reply_text"].split())[:200])
        if want == "out_of_office":
            if not dates.add(answer["return_date"] == label["return_date"]):
                miss("date", label["file"], label["message_date"], "want", label["return_date"], "got", answer["return_date"], "|", " ".join(answer["reply_text"].split())[:240])
        if answer["return_date"] and not label["return_date"]:
            invented += 1
            miss("invented", label["file"], answer["return_date"], "|", " ".join(answer["reply_text"].split())[:200])
        if want == "not_now" and not come.add(answer["come_back_date"] == label["come_back_date"]):
            miss("come back", label["file"], label["message_date"], "want", label["come_back_date"], "got", answer["come_back_date"], "|", " ".join(answer["reply_text"].split())[:240])
        if label["referred_to"]:
            wanted = label["referred_to"]
            written = [[f"{who['name']} <{who['address']}>", f"{who['name']} ({who['address']})", who["name"], who["address"]] for who in answer["referred_to"]]
            if not referred.add(any(wanted in (form or "") for forms in written for form in forms)):
                miss("referred", label["file"], label["referred_to"], answer["referred_to"], "|", " ".join(answer["reply_text"].split())[:200])
    scores = f1(pairs)
    row("class", f"{sum(a == b for a, b in pairs)}/{len(pairs)} = {100 * sum(a == b for a, b in pairs) / len(pairs):.1f} %")
    row("macro-F1", f"{sum(score[2] for score in scores.values()) / len(scores):.3f}", "0.93")
    row("unsubscribe precision and recall", f"{scores['unsubscribe'][0]:.3f} {scores['unsubscribe'][1]:.3f}", "0.99 0.99")
    row("automatic or human", machine, "99 %")
    row("reply text", texts, "95 %")
    row("signature", signatures)
    row("intent, where the class is right", f"{sum(a == b for a, b in intents)}/{len(intents)}")
    row("return date of out-of-office notes", dates, "98 %")
    row("return dates invented", invented, "0")
    row("come-back date of not-now answers", come)
    row("whom a reply points to", referred)
    print("    by class: " + ", ".join(f"{name} {score[2]:.2f}" for name, score in scores.items()))
    print("    by language: " + ", ".join(f"{name} {share}" for name, share in sorted(languages.items()) if share.all >= 10))
    print("    by confidence: " + ", ".join(f"{n / 10:.1f}+ {share.right}/{share.all}" for n, share in sorted(bins.items())))
    table(pairs)


def vacation():
    """The vacation texts as clients translate them, with a date in each order that the language writes."""
    share, kind, invented = Share(), Share(), Share()
    texts, wanted = [], {}
    forms = {"2026-08-17": ["17.08.2026", "17/08/2026", "2026-08-17", "17.8.2026"]}
    for phrase in load("l10n-mail-phrases/ooo.json"):
        body = phrase["text"].split("|/|")[0]
        for want, dates in forms.items():
            for date in dates:
                key = f"{phrase['lang']} {date}"
                texts.append((key, body.replace("%1", date).encode(), "Auto-Submitted: auto-replied\r\n", "Mon, 03 Aug 2026 09:00:00 +0200"))
                wanted[key] = want
        key = f"{phrase['lang']} none"
        texts.append((key, body.replace("%1", "...").encode(), "Auto-Submitted: auto-replied\r\n", "Mon, 03 Aug 2026 09:00:00 +0200"))
        wanted[key] = None
        key = f"{phrase['lang']} no header"
        texts.append((key, body.replace("%1", "17.08.2026").encode(), "", "Mon, 03 Aug 2026 09:00:00 +0200"))
        wanted[key] = "2026-08-17"
    for key, answer in classify_texts(texts).items():
        right = (share if wanted[key] else invented).add(answer["return_date"] == wanted[key])
        good = kind.add(answer["class"] == "out_of_office")
        if not right or not good:
            miss("vacation", key, answer["class"], answer["return_date"], answer["automatic"])
    print("\nthe 16 vacation texts of mail clients, each with four forms of date, with none, and without a header that says so")
    row("return date", share, "98 %")
    row("no date invented", invented, "all")
    row("read as out of office", kind)


# --- time -------------------------------------------------------------------------------------------------------------------

def speed():
    folder = path("replies-constructed/eml")
    names = [f"{folder}/{name}" for name in sorted(os.listdir(folder))]
    size = sum(os.path.getsize(name) for name in names) / len(names)
    with tempfile.TemporaryDirectory() as temporary:
        # Replies of 5 KB: what is missing is quoted text, as in life.
        padded = []
        for number, name in enumerate(names):
            with open(name, "rb") as file:
                data = file.read()
            if b"multipart" not in data and b"base64" not in data and len(data) < 5120:
                line = b"> and so it goes on, as it does in the mail that people answer\r\n"
                data += b"\r\n" + line * ((5120 - len(data)) // len(line))
            padded.append(f"{temporary}/{number:04}.eml")
            with open(padded[-1], "wb") as file:
                file.write(data)
        size = sum(os.path.getsize(name) for name in padded) / len(padded)

        def took(files):
            times = []
            for _ in range(5):
                start = time.perf_counter()
                subprocess.run([POSTRIDER, "classify", "--json", *files], check=True, stdout=subprocess.DEVNULL)
                times.append(time.perf_counter() - start)
            return min(times)

        one = took(padded[:1])
        many = took(padded * 8)
        rate = (len(padded) * 8 - 1) / (many - one)
    print("\ntime (one process, one core, reading files and writing JSON included)")
    row("start-up with one message", f"{1000 * one:.0f} ms", "50 ms")
    row(f"messages a second, {size / 1024:.1f} KB each", f"{rate:.0f}", "2000")


PARTS = {"sisimai": sisimai, "flufl": flufl, "automatic": automatic, "text": reply_text, "constructed": constructed, "vacation": vacation, "speed": speed}
for name, part in PARTS.items():
    if not ONLY or name in ONLY:
        part()
