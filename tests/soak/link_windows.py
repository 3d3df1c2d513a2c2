#!/usr/bin/env python3
"""A village takes a lesson over a satellite line that is up 30 s and down 60 s: 2 Mbit/s, 600 ms there and back.

What counts is the share of the line's up-time that became lesson, and how much came twice. Use:
SATCHEL=path/to/satchel link_windows.py [--megabytes 20] [--up 30] [--down 60] [--rate 2000000] [--delay 300]
"""
import argparse
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

SATCHEL = os.environ["SATCHEL"]
SOURCE = pathlib.Path(__file__).resolve().parents[2]
SHARE_MIN = 0.75
TWICE_MAX = 0.05  # of the lesson: what was under way when a window closed


def satchel(*arguments):
    done = subprocess.run([SATCHEL, "--json", *map(str, arguments)], capture_output=True)
    if done.returncode != 0:
        raise SystemExit(f"{arguments} ended with {done.returncode}: {done.stderr.decode()[-800:]}")
    return json.loads(done.stdout.decode().strip().splitlines()[-1])


def begin(command, **options):
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True, **options)
    return process, process.stdout.readline().strip()


def make_sites(folder, megabytes):
    lesson = folder / "courseware" / "maths"
    lesson.mkdir(parents=True)
    (lesson / "course.json").write_text('{"id": "maths", "title": {"en": "Maths"}, "theme": "maths"}')
    chance = random.Random(1)
    for number in range(megabytes):
        (lesson / f"film{number}.mp4").write_bytes(chance.randbytes(1_000_000))
    satchel("init", folder / "hub", "--network", "Yushan")
    request = satchel("join-request", folder / "village", "--site-name", "village")["request"]
    (folder / "request.txt").write_text(request)
    grant = satchel("--site", folder / "hub", "enrol", folder / "request.txt")["grant"]
    (folder / "grant.txt").write_text(grant)
    satchel("join", folder / "village", folder / "grant.txt")
    satchel("--site", folder / "hub", "publish", folder / "courseware")
    return megabytes * 1_000_000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=20)
    parser.add_argument("--up", type=float, default=30)
    parser.add_argument("--down", type=float, default=60)
    parser.add_argument("--rate", type=float, default=2_000_000)
    parser.add_argument("--delay", type=float, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("SATCHEL_SOAK_DIR")) as name:
        folder = pathlib.Path(name)
        payload = make_sites(folder, options.megabytes)
        hub, first = begin([SATCHEL, "--json", "--site", folder / "hub", "serve", "--listen", "127.0.0.1:0"])
        at = json.loads(first)["address"]
        counts = folder / "counts.json"
        proxy, port = begin([sys.executable, SOURCE / "tests/support/cutting_proxy.py", "--to", at,
                             "--rate", options.rate, "--delay", options.delay, "--up", options.up,
                             "--down", options.down, "--counts", counts])
        began = time.monotonic()
        try:
            report = satchel("--site", folder / "village", "sync", f"127.0.0.1:{port}", "--wait", "300")
        finally:
            took = time.monotonic() - began
            for process in (proxy, hub):
                process.send_signal(signal.SIGTERM)
                process.wait()
        line = json.loads(counts.read_text())
        satchel("--site", folder / "village", "store", "verify")
        if satchel("--site", folder / "village", "status")["waiting"] != 0:
            raise SystemExit("the lesson is not whole")
        share = payload / (options.rate / 8 * line["up_seconds"])
        twice = report["bytes_again"]
        print(f"{payload} bytes in {took:.0f} s, {line['up_seconds']:.0f} s of them up, {report['links']} links, "
              f"{line['connections']} connections")
        print(f"the line carried {line['bytes_down']} bytes down, {line['bytes_up']} up; {twice} came twice")
        print(f"summary: {100 * share:.1f} % of the up-time became lesson, {twice} bytes came twice")
        if share < SHARE_MIN or twice > TWICE_MAX * payload:
            sys.exit(1)


if __name__ == "__main__":
    main()
