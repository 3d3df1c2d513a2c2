#!/usr/bin/env python3
"""The most memory (VmHWM) of each command at sites whose stores hold many chunks, and how fast such a store opens.

Two sites of one network; make_packs fills the packs of both with synthetic chunks, true to format. Then courseware is
published, synced, checked out, played, verified, dropped and collected. With --cgroup-mib all of it runs in a memory
cgroup of so many MiB, where the machine allows one (version 1 or 2, as root).

Use: SATCHEL=path/to/satchel MAKE_PACKS=path/to/make_packs memory.py [--packs 1000] [--chunks 4400] [--megabytes 256]
"""
import argparse
import json
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

from measuring import GNU_TIME

SATCHEL, MAKE_PACKS = os.environ["SATCHEL"], os.environ["MAKE_PACKS"]


class Cgroup:
    """A limit of memory, page cache included, for what is started in it."""

    def __init__(self, mib):
        self.place = None
        for base, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
            place = pathlib.Path(base) / f"satchel-memory-{os.getpid()}"
            try:
                place.mkdir()
                (place / limit).write_text(str(mib << 20))
                self.place = place
                return
            except OSError:
                if place.is_dir():
                    place.rmdir()

    def enter(self):
        if self.place is not None:
            (self.place / "cgroup.procs").write_text(str(os.getpid()))

    def leave(self):
        if self.place is not None:
            self.place.rmdir()


class Table:
    def __init__(self, scratch, cgroup):
        self.scratch, self.cgroup, self.most = scratch, cgroup, 0.0
        print(f"{'command':<28}{'MiB':>8}{'seconds':>10}", flush=True)

    def row(self, name, mib, seconds):
        self.most = max(self.most, mib)
        print(f"{name:<28}{mib:>8.1f}{seconds:>10.2f}", flush=True)

    def popen(self, arguments, **options):
        return subprocess.Popen([str(each) for each in arguments],
                                preexec_fn=self.cgroup.enter if self.cgroup else None, **options)

    def run(self, name, *arguments, output=None):
        told = self.scratch / "memory"
        begun = time.monotonic()
        with open(output or os.devnull, "wb") as out:
            process = self.popen([GNU_TIME, "-q", "-f", "%M", "-o", told, SATCHEL, "--json", *arguments], stdout=out,
                                 stderr=subprocess.PIPE)
            said = process.communicate()[1]
        if process.returncode not in (0, 3):
            raise SystemExit(f"{name}: exit {process.returncode}: {said.decode()[-600:]}")
        self.row(name, int(told.read_text().split()[-1]) / 1024, time.monotonic() - begun)

    def note_owner(self, name, process, begun):
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        self.row(name, int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024, time.monotonic() - begun)
        process.terminate()
        process.wait()


def quiet(*arguments):
    return subprocess.run([SATCHEL, "--quiet", *map(str, arguments)], capture_output=True, check=True).stdout


def serve(table, site, *arguments):
    """An owner, and the line of JSON that says where it listens."""
    process = table.popen([SATCHEL, "--json", "--site", site, "serve", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    told = {}
    while "address" not in told and "play" not in told:
        line = process.stdout.readline()
        if not line:
            raise SystemExit("serve ended")
        if line.startswith(b"{"):
            told = json.loads(line)
    return process, told


def make_courseware(folder, megabytes):
    chance = random.Random(3)
    for number in range(2):
        course = folder / f"film-{number}"
        course.mkdir(parents=True)
        with open(course / "film.mp4", "wb") as film:
            film.write(b"\0\0\0\x10ftypisomiso2")
            for _ in range(megabytes // 4):
                film.write(chance.randbytes(1 << 20))
    pages = folder / "pages"
    pages.mkdir()
    for number in range(megabytes * 40):
        (pages / f"page-{number:06}.html").write_bytes(chance.randbytes(600).hex().encode())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packs", type=int, default=1000)
    parser.add_argument("--chunks", type=int, default=4400, help="of each pack")
    parser.add_argument("--megabytes", type=int, default=256)
    parser.add_argument("--cgroup-mib", type=int, default=0)
    options = parser.parse_args()
    cgroup = Cgroup(options.cgroup_mib) if options.cgroup_mib else None
    if cgroup is not None and cgroup.place is None:
        raise SystemExit("this machine allows no memory cgroup here")
    with tempfile.TemporaryDirectory(prefix="satchel-memory.") as name:
        root = pathlib.Path(name)
        hub, village = root / "hub", root / "village"
        quiet("init", hub, "--network", "Memory county")
        (root / "request").write_bytes(quiet("join-request", village, "--site-name", "village"))
        (root / "grant").write_bytes(quiet("--site", hub, "enrol", root / "request"))
        quiet("join", village, root / "grant")
        subprocess.run([MAKE_PACKS, "fill", hub, str(options.packs), str(options.chunks)], check=True)
        shutil.rmtree(village / "packs")
        shutil.copytree(hub / "packs", village / "packs")
        make_courseware(root / "courseware", options.megabytes)
        (root / "stick").mkdir()
        table = Table(root, cgroup)
        table.run("village: rebuild-index", "--site", village, "store", "rebuild-index")
        table.run("hub: status (opens)", "--site", hub, "status")
        table.run("hub: publish", "--site", hub, "publish", root / "courseware")
        table.run("hub: publish unchanged", "--site", hub, "publish", root / "courseware")
        table.run("hub: cat, a small file", "--site", hub, "cat", "pages", "page-000007.html")
        begun = time.monotonic()
        owner, told = serve(table, hub, "--listen", "127.0.0.1:0")
        table.run("village: sync", "--site", village, "sync", told["address"])
        table.note_owner("hub: serve, one sync", owner, begun)
        table.run("hub: stick write", "--site", hub, "stick", "write", root / "stick")
        table.run("village: stick read", "--site", village, "stick", "read", root / "stick")
        table.run("village: checkout", "--site", village, "checkout", "film-0", root / "out")
        begun = time.monotonic()
        owner, told = serve(table, village, "--play", "127.0.0.1:0")
        first_byte_s = play(told["play"])
        table.note_owner("village: serve, one film", owner, begun)
        table.run("village: verify --fast", "--site", village, "store", "verify", "--fast")
        table.run("village: verify", "--site", village, "store", "verify")
        table.run("village: collect", "--site", village, "store", "collect")
        print(f"first byte of a small file by HTTP, the store open, median of 20: {first_byte_s * 1000:.2f} ms")
        print(f"most: {table.most:.1f} MiB; {options.packs * options.chunks} synthetic chunks in {options.packs} packs"
              + (f", in a cgroup of {options.cgroup_mib} MiB" if cgroup else ""))
        if cgroup:
            cgroup.leave()


def follow(page, *wanted):
    """From link to link, as a browser gets from the list to a file."""
    for pattern in wanted:
        with urllib.request.urlopen(page) as answer:
            page = urllib.parse.urljoin(page, re.findall(pattern, answer.read().decode())[0])
    return page


def play(page):
    """One film, whole. Then how long a small file's first byte takes, once it was asked for before."""
    with urllib.request.urlopen(follow(page, r'href="([^"]*film-0[^"]*)"',
                                       r'(?:href|src)="([^"]*film\.mp4[^"]*)"')) as answer:
        while answer.read(1 << 20):
            pass
    small = follow(page, r'href="([^"]*pages[^"]*)"', r'href="([^"]*page-000007\.html[^"]*)"')
    took = []
    for _ in range(21):
        begun = time.monotonic()
        with urllib.request.urlopen(small) as answer:
            answer.read(1)
            took.append(time.monotonic() - begun)
    return statistics.median(took[1:])


if __name__ == "__main__":
    main()
