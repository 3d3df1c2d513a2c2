"""The county of kill_links.py: a hub, a village and an office; owners; records and reports beside; who holds what."""
import csv
import io
import json
import random
import shutil
import signal
import struct
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from killing import SATCHEL, items, plain, satchel, summary

BUSY, AWAY = 11, 15  # exit codes: the site is in use, its owner went away
PATIENCE_S = 300  # for what must come, on a machine with much else to do
PAUSE_S = 0.1  # of who records or reports beside: an owner that begins finds the site free now and then
ELSEWHERE = "510700-0001"  # a school whose records come as a file
FILE_LINES = 1000


class Failure(Exception):
    pass


def film(size, seed):
    head = struct.pack(">I4s8s", 16, b"ftyp", b"isomiso2")
    return head + random.Random(seed).randbytes(size - len(head))


def write_lines(path, site):
    with open(path, "w", encoding="utf-8") as out:
        for number in range(1, FILE_LINES + 1):
            out.write(json.dumps({"v": 1, "id": f"{site}/1/{number}", "site": site, "epoch": 1, "seq": number,
                                  "kind": "view", "at": f"2026-03-{1 + number % 28:02}T10:00:00+08:00", "mode":
                                  "session", "course": "maths", "dur": number, "headcount": number}) + "\n")


def add_course(folder, name, files):
    (folder / name).mkdir(parents=True)
    (folder / name / "course.json").write_text(json.dumps({"id": name, "title": {"en": name}, "theme": "x"}))
    for file, data in files.items():
        (folder / name / file).write_bytes(data)


def make_county(base, megabytes):
    """All agree on the course `earlier` and some records; then the hub publishes `maths`, which only it knows."""
    add_course(base / "earlier", "earlier", {"film.mp4": film(2_000_000, 1)})
    size = megabytes * 1_000_000
    chance = random.Random(2)
    add_course(base / "courseware", "maths", {"film.mp4": film(size * 3 // 4, 3)} | {
        f"page-{number:02}.html": chance.randbytes(size // 80) for number in range(20)})
    satchel("init", base / "hub", "--network", "Kill county", "--site-name", "hub")
    for name, role in (("village", "village"), ("office", "hub")):
        (base / "request").write_bytes(plain("join-request", base / name, "--site-name", name))
        (base / "grant").write_bytes(plain("--site", base / "hub", "enrol", base / "request", "--role", role))
        satchel("join", base / name, base / "grant")
    satchel("--site", base / "hub", "publish", base / "earlier")
    satchel("--site", base / "office", "subscribe", "remove", "all")
    write_lines(base / "lines.jsonl", ELSEWHERE)
    satchel("--site", base / "hub", "record", "--file", base / "lines.jsonl")
    for site in ("hub", "village"):
        for number in range(1, 4):
            satchel("--site", base / site, "record", "viewing", "course=maths", f"headcount={number}",
                    f"dur={number}")
    meet(base)
    satchel("--site", base / "hub", "publish", base / "courseware")


def meet(base):
    owner = Owner(base / "hub")
    for site in ("village", "office"):
        satchel("--site", base / site, "sync", owner.address)
    owner.stop()


class Owner:
    """`satchel serve`, listening; begun again as long as a command has the site."""

    def __init__(self, site, *arguments, port=0):
        self.site = site
        command = [SATCHEL, "--json", "--site", site, "serve", "--listen", f"127.0.0.1:{port}", *arguments]
        end = time.monotonic() + PATIENCE_S
        while True:
            self.news, self.ended, self.changed = [], False, threading.Condition()
            with open(f"{site}.err", "wb") as said:
                self.process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=said)
            threading.Thread(target=self._read, daemon=True).start()
            if self.wait_for(lambda: self.said("listening")):
                break
            with open(f"{site}.err", encoding="utf-8") as said:
                if self.process.wait() != BUSY or time.monotonic() > end:
                    raise Failure("the owner does not come up: " + said.read()[-500:])
        self.address = self.said("listening")[0]["address"]
        self.port = int(self.address.rsplit(":", 1)[1])

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.news.append(json.loads(line))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def said(self, event):
        return [each for each in self.news if each.get("event") == event]

    def wait_for(self, true):
        """Until it is true; False if the owner ended before."""
        with self.changed:
            if not self.changed.wait_for(lambda: true() or self.ended, timeout=PATIENCE_S):
                raise Failure("the owner has not come so far in time")
            return bool(true())

    def runs(self):
        return self.process.poll() is None

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        return self.process.wait() == -signal.SIGKILL

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait() != 0:
            raise Failure(f"the owner ended with {self.process.returncode}")


class Beside:
    """Records and reports at a site, by processes of their own, until it is stopped."""

    def __init__(self, site):
        self.site, self.name = site, site.name
        self.before = own_records(site)
        self.acknowledged, self.refused, self.tried = {}, set(), 0
        self.wrong = []
        self.stopping, self.changed = False, threading.Condition()
        self.threads = [threading.Thread(target=each, daemon=True) for each in (self._record, self._report)]
        for thread in self.threads:
            thread.start()

    def _record(self):
        while not self.stopping:
            number = 1000 + self.tried
            self.tried += 1
            done = satchel("--site", self.site, "record", "viewing", "course=maths", f"headcount={number}",
                           f"dur={number}", check=False)
            ids = [each["id"] for each in items(done) if "id" in each]
            with self.changed:
                if ids:
                    self.acknowledged[number] = ids[0]
                elif done.returncode == BUSY:
                    self.refused.add(number)
                elif done.returncode != AWAY:
                    self.wrong.append(f"record ended with {done.returncode}: {done.stderr.decode()[-300:]}")
                self.changed.notify_all()
            time.sleep(PAUSE_S)

    def _report(self):
        while not self.stopping:
            least = len(self.before) + len(self.acknowledged)
            done = satchel("--site", self.site, "report", "viewing", "--by", "site", check=False)
            most = len(self.before) + self.tried
            if done.returncode == 0:
                views = [each["views"] for each in items(done) if each.get("site") == self.name]
                if len(views) != 1 or not least <= views[0] <= most:
                    self.wrong.append(f"the report says {views} views instead of {least} to {most}")
            elif done.returncode not in (BUSY, AWAY):
                self.wrong.append(f"report ended with {done.returncode}: {done.stderr.decode()[-300:]}")
            time.sleep(PAUSE_S)

    def one_more(self):
        """Until one more record is acknowledged."""
        with self.changed:
            more = len(self.acknowledged) + 1
            if not self.changed.wait_for(lambda: len(self.acknowledged) >= more, timeout=PATIENCE_S):
                raise Failure("nothing can be recorded any more: " + "; ".join(self.wrong[-3:]))

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join()

    def check(self):
        """What was acknowledged is there; what was not is there whole, once, or not at all."""
        self.stop()
        if self.wrong:
            raise Failure("; ".join(self.wrong[:3]))
        here = own_records(self.site)
        ids = {each["id"] for each in here}
        missing = [each["id"] for each in self.before if each["id"] not in ids]
        missing += [each for each in self.acknowledged.values() if each not in ids]
        if missing:
            raise Failure(f"{len(missing)} acknowledged records are missing, as {missing[0]}")
        earlier = {each["id"] for each in self.before}
        check_new([each for each in here if each["id"] not in earlier], 1000, 999 + self.tried)
        for each in here:
            if each["headcount"] in self.refused:
                raise Failure(f"{each['id']} is here, although the site was busy")
        for number, name in list(self.acknowledged.items())[-1:]:
            shown = items(satchel("--site", self.site, "records", "show", name))[0]
            if shown["headcount"] != number:
                raise Failure(f"{name} shows {shown}")


def check_new(records, first, last):
    """Each is one of these numbers, whole and once."""
    numbers = [each["headcount"] for each in records]
    if len(set(numbers)) != len(numbers):
        raise Failure("a record is here twice")
    for each in records:
        if not first <= each["headcount"] <= last or each["dur"] != each["headcount"] or each["course"] != "maths":
            raise Failure(f"this was never recorded so: {each}")


def records_of(site):
    return [each for each in items(satchel("--site", site, "records", "list")) if "id" in each]


def own_records(site):
    feed = summary(satchel("--site", site, "status"))["site"]
    return [each for each in records_of(site) if each["id"].startswith(feed[:16])]


def verify(*sites):
    """Each of these sites is sound."""

    def check(site):
        for what in (("records", "verify"), ("store", "verify"), ("catalogue", "verify"), ("status",)):
            done = satchel("--site", site, *what, check=False)
            if done.returncode != 0:
                raise Failure(f"{' '.join(what)} at {site.name}: {done.stderr.decode()[-300:]}")

    with ThreadPoolExecutor(len(sites)) as pool:
        list(pool.map(check, sites))


def report_of(site):
    return plain("--site", site, "report", "viewing", "--by", "site", "--format", "csv")


def report_row(site, name):
    return [row for row in csv.DictReader(io.StringIO(report_of(site).decode("utf-8-sig"))) if row["site"] == name]


def check_course(site, base, course):
    state = summary(satchel("--site", site, "why", course))["state"]
    if state != "complete":
        raise Failure(f"{course} is {state} at {site.name}")
    out = site.parent / f"out-{site.name}-{course}"
    shutil.rmtree(out, ignore_errors=True)
    satchel("--site", site, "checkout", course, out)
    source = base / ("earlier" if course == "earlier" else "courseware") / course
    same = subprocess.run(["diff", "-r", source, out], capture_output=True, check=False)
    if same.returncode != 0:
        raise Failure("the checkout differs: " + same.stdout.decode()[:300])


def check_agreement(hub, village):
    """The village's feed and its row of the report are the same at both ends."""
    here, there = own_records(village), records_of(hub)
    feed = here[0]["feed"]
    if [each for each in there if each["feed"] == feed] != here:
        raise Failure("the hub holds other records of the village than the village")
    if report_row(hub, "village") != report_row(village, "village"):
        raise Failure("the two reports differ about the village")


def check_all_ends(hub, office, address):
    """A hub that meets the hub afterwards holds the same records and says the same bytes."""
    satchel("--site", office, "sync", address)
    digests = [summary(satchel("--site", site, "records", "verify"))["digest"] for site in (hub, office)]
    if digests[0] != digests[1] or report_of(hub) != report_of(office):
        raise Failure("two hubs differ after they have met")
