#!/usr/bin/env python3
"""Records made elsewhere reach three hubs in different parts and orders, some twice; sticks and links bring them
together; then every total is exactly the one that was computed apart, and the three hubs say the same bytes.

Use: SATCHEL=path/to/satchel totals.py [FOLDER [ORDERS]]
FOLDER (or SATCHEL_VIEWING_LOGS) holds sites.csv, expected-totals.json and deliveries/DAY/CARRIER.jsonl. Without it the
small logs of tests/soak/viewing-logs are taken. ORDERS: how many orders (20 in soak, else 4).
"""
import csv
import gzip
import io
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

FIXTURE = pathlib.Path(__file__).resolve().parents[1] / "soak" / "viewing-logs"
HUBS = ("hub-a", "hub-b", "hub-c")
MEASURES = ("views", "previews", "sessions", "headcount", "duration_s", "person_s", "feedback", "rating_sum",
            "orders", "order_qty", "maintenance", "power_on_events", "power_on_s")
GROUPS = {"site": "by_site", "county": "by_county", "course": "by_course", "month": "by_month",
          "county,month": "by_county_month", "course,month": "by_course_month"}
SATCHEL = os.environ["SATCHEL"]


class Failure(Exception):
    pass


def satchel(*arguments, ok=(0,)):
    done = subprocess.run([SATCHEL, *map(str, arguments)], capture_output=True, check=False)
    if done.returncode not in ok:
        raise Failure(f"satchel {' '.join(map(str, arguments))}: exit {done.returncode}\n"
                      + done.stderr.decode(errors="replace")[-2000:])
    return done.stdout


def deliveries_of(folder, scratch):
    if folder:
        return sorted(pathlib.Path(folder).glob("deliveries/*/*.jsonl"))
    files, out = [], None
    with gzip.open(FIXTURE / "deliveries.txt.gz", "rt", encoding="utf-8", newline="") as lines:
        for line in lines:
            if line.startswith("# "):
                path = scratch / "deliveries" / line[2:].strip()
                path.parent.mkdir(parents=True, exist_ok=True)
                out = open(path, "w", encoding="utf-8", newline="")
                files.append(path)
            else:
                out.write(line)
    if out:
        out.close()
    return files


def make_hubs(base, sites):
    satchel("init", base / "hub-a", "--network", "Three hubs", "--site-name", "hub-a")
    satchel("--site", base / "hub-a", "sites", "import", sites)
    for hub in HUBS[1:]:
        (base / "request").write_bytes(satchel("join-request", base / hub, "--site-name", hub))
        (base / "grant").write_bytes(satchel("--site", base / "hub-a", "enrol", base / "request", "--role", "hub"))
        satchel("join", base / hub, base / "grant")
    for hub in HUBS[1:]:  # now each knows all three
        by_link(base, "hub-a", hub)


def by_stick(root, sender, receiver):
    satchel("--site", root / sender, "stick", "write", root / "stick", "--quiet")
    satchel("--site", root / receiver, "stick", "read", root / "stick", "--quiet")


def by_link(root, one, other):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([SATCHEL, "--site", root / one, "serve", "--listen", f"127.0.0.1:{port}", "--quiet"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        satchel("--site", root / other, "sync", f"127.0.0.1:{port}", "--quiet", "--wait", "30")
    finally:
        server.terminate()
        server.wait(timeout=30)


def report(root, hub, *arguments):
    return satchel("--site", root / hub, "report", *arguments, "--format", "csv", "--quiet")


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))


def check_totals(root, hub, expected):
    wrong = []

    def compare(what, got, want):
        if got != want:
            wrong.append(f"{what}: {got} instead of {want}")

    for by, name in GROUPS.items():
        columns = by.split(",")
        got = {}
        for row in rows_of(report(root, hub, "viewing", "--by", by)):
            if row.get("state") == "not reported":
                compare(f"{by} {row[columns[0]]}, silent", any(row[m] for m in MEASURES), False)
                continue
            got[" ".join(row[column] for column in columns)] = {m: int(row[m]) for m in MEASURES}
        want = expected[name]
        compare(f"groups of {by}", sorted(got), sorted(want))
        for key in want:
            if key in got:
                compare(f"{by} {key}", got[key], {m: want[key][m] for m in MEASURES})
    total = {m: 0 for m in MEASURES}
    for row in rows_of(report(root, hub, "viewing", "--by", "month")):
        for measure in MEASURES:
            total[measure] += int(row[measure])
    compare("total", total, {m: expected["total"][m] for m in MEASURES})

    start, days = expected["start"], expected["days"]
    until = time.strftime("%Y-%m-%d", time.gmtime(time.mktime(time.strptime(start, "%Y-%m-%d")) - time.timezone
                                                  + (days - 1) * 86400))
    power = {f"{row['county']} {row['month']}": row
             for row in rows_of(report(root, hub, "power-on", "--by", "county,month", "--until", until))}
    for key, want in expected["power_on"]["county_month"].items():
        for column in ("powered_site_days", "possible_site_days"):
            compare(f"power-on {key} {column}", int(power[key][column]), want[column])
    return wrong


def one_order(base, root, files, expected, seed):
    chance = random.Random(seed)
    for hub in HUBS:
        shutil.copytree(base / hub, root / hub, symlinks=True)
    (root / "stick").mkdir()
    # Each delivery reaches one hub, and now and then another one too.
    tasks = [(hub, file) for file in files
             for hub in chance.sample(HUBS, 2 if chance.random() < 0.15 else 1)]
    chance.shuffle(tasks)
    batches = [tasks[i::10] for i in range(10)]
    for batch in batches:
        by_hub = {}
        for hub, file in batch:
            by_hub.setdefault(hub, []).append(file)
        for hub, some in by_hub.items():
            joined = root / "joined.jsonl"
            with open(joined, "wb") as out:
                for file in some:
                    out.write(file.read_bytes())
            satchel("--site", root / hub, "record", "--file", joined, "--quiet")
        if chance.random() < 0.5:
            one, other = chance.sample(HUBS, 2)
            (by_link if chance.random() < 0.5 else by_stick)(root, one, other)
    # All meet: a by link with b, then by stick with c, and back.
    by_link(root, "hub-a", "hub-b")
    by_stick(root, "hub-b", "hub-c")
    by_link(root, "hub-c", "hub-a")
    by_stick(root, "hub-a", "hub-b")

    wrong = check_totals(root, "hub-b", expected)
    digests = {json.loads(satchel("--site", root / hub, "records", "verify", "--json").splitlines()[-1])["digest"]
               for hub in HUBS}
    if len(digests) != 1:
        wrong.append(f"digests differ: {digests}")
    for by in GROUPS:
        if len({report(root, hub, "viewing", "--by", by) for hub in HUBS}) != 1:
            wrong.append(f"the report by {by} differs between hubs")
    return wrong


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("SATCHEL_VIEWING_LOGS", "")
    orders = int(sys.argv[2]) if len(sys.argv) > 2 else 20 if os.environ.get("SATCHEL_SOAK") else 4
    logs = pathlib.Path(folder) if folder else FIXTURE
    expected = json.loads((logs / "expected-totals.json").read_text(encoding="utf-8"))
    failures = 0
    with tempfile.TemporaryDirectory(prefix="satchel-totals.") as name:
        scratch = pathlib.Path(name)
        files = deliveries_of(folder, scratch)
        base = scratch / "base"
        base.mkdir()
        make_hubs(base, logs / "sites.csv")
        for seed in range(1, orders + 1):
            root = scratch / f"order-{seed}"
            root.mkdir()
            begun = time.time()
            wrong = one_order(base, root, files, expected, seed)
            failures += bool(wrong)
            for line in wrong[:20]:
                print(f"order {seed}: WRONG {line}")
            print(f"order {seed}: {'wrong' if wrong else 'exact'} in {time.time() - begun:.0f} s", flush=True)
            shutil.rmtree(root)
    lines = expected["counts"]["lines"]
    print(f"summary: {lines} lines in {orders} orders at three hubs, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(str(failure))
