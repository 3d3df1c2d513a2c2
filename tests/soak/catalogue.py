#!/usr/bin/env python3
"""One changed document in a large catalogue: what it moves by stick, and how long its publish takes.

Use: SATCHEL=path/to/satchel catalogue.py [--editions 40000]
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import formats

SATCHEL = os.environ["SATCHEL"]
BYTES_MAX = 2500  # of lane parcels as they travel, compressed; what a stick's records put around them is told too
SECONDS_MAX = 1.0
PUBLISHES = 5
LANE_PARCELS = (2, 3, 4)  # begin, batch, end
FOLDERS_MAX = 500  # course folders published at once: commits of a usual size


def satchel(*arguments):
    done = subprocess.run([SATCHEL, "--json", *map(str, arguments)], capture_output=True)
    if done.returncode != 0:
        raise SystemExit(f"{arguments} ended with {done.returncode}: {done.stderr.decode()[-800:]}")
    return json.loads(done.stdout.splitlines()[-1])


def plain(*arguments):
    return subprocess.run([SATCHEL, "--quiet", *map(str, arguments)], capture_output=True, check=True).stdout


def make_course(folder, number):
    course = folder / f"course-{number:05}"
    course.mkdir(parents=True)
    (course / "course.json").write_text(json.dumps({
        "id": f"course-{number:05}", "title": {"en": f"Lesson {number} of the county", "zh": f"县里的第 {number} 课"},
        "theme": f"theme-{number % 40}", "audience": "villagers", "language": "zh", "producer": f"office {number % 7}",
        "licence": "CC-BY-4.0"}, ensure_ascii=False))
    (course / "text.txt").write_text(f"text {number}\n")
    return course


def lane_parcels(stick):
    """Sizes, as stored, of the parcels that bring the lane forward."""
    return [record.stored for path in stick.glob("SATCHEL/*/0*.SAT") for record in formats.volume_records(path)
            if record.kind == formats.FREIGHT and record.plain()[0] in LANE_PARCELS]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--editions", type=int, default=40_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="satchel-catalogue.") as folder:
        root = pathlib.Path(folder)
        hub, village = root / "hub", root / "village"
        satchel("init", hub, "--network", "Large county")
        (root / "request").write_bytes(plain("join-request", village, "--site-name", "village"))
        (root / "grant").write_bytes(plain("--site", hub, "enrol", root / "request"))
        satchel("join", village, root / "grant")
        satchel("--site", village, "subscribe", "remove", "all")

        begun = time.monotonic()
        for first in range(0, options.editions, FOLDERS_MAX):
            part = root / f"part-{first}"
            for number in range(first, min(first + FOLDERS_MAX, options.editions)):
                make_course(part, number)
            satchel("--site", hub, "publish", part)
        print(f"{options.editions} editions published in {time.monotonic() - begun:.1f} s")

        stick = root / "stick"
        stick.mkdir()
        satchel("--site", hub, "stick", "write", stick)
        read = satchel("--site", village, "stick", "read", stick)
        satchel("--site", hub, "stick", "read", stick)
        print(f"the village took {read['commits']} commits by stick: {sum(lane_parcels(stick))} bytes of catalogue")

        course = root / "part-0" / "course-00017"
        seconds = []
        for again in range(PUBLISHES):
            (course / "text.txt").write_text(f"text 17, changed {again}\n")
            begun = time.monotonic()
            satchel("--site", hub, "publish", course)
            seconds.append(time.monotonic() - begun)
            if again == 0:
                fresh = root / "fresh"
                fresh.mkdir()
                satchel("--site", hub, "stick", "write", fresh)
                parcels = lane_parcels(fresh)
                moved = sum(parcels)
                accepted = satchel("--site", village, "stick", "read", fresh)["commits"]
        median = sorted(seconds)[len(seconds) // 2]
        headers = len(parcels) * formats.RECORD_HEADER.size
        print(f"one changed document moves {moved} bytes of catalogue (at most {BYTES_MAX}) in {len(parcels)} records "
              f"with {headers} bytes of headers; the village took {accepted} commit")
        times = ", ".join(f"{each:.2f}" for each in seconds)
        print(f"publishing it took {times} s (median at most {SECONDS_MAX})")
        held = moved <= BYTES_MAX and median < SECONDS_MAX and accepted == 1
        print(f"summary: among {options.editions} editions one changed moves {moved} bytes, publish {median:.2f} s")
        sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
