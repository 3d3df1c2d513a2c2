#!/usr/bin/env python3
"""The store side by side with restic, borg (-e none, as it comes and with -C zstd,3) and casync, in one run.

Courseware in three editions, and many small text files: ingest, restore, verify, dropping an edition, stored bytes,
memory. Every tool has a new repository and no caches at each run; what it reads lies in the page cache; the tools
take turns in every run, so that a busy hour falls on all of them. Medians of the runs; CPU-seconds are those of the
command and all that it started. Figures and raw runs go to build/bench/store_against_peers.{txt,json}.

Use: SATCHEL=path/to/satchel store_against_peers.py [--size try|small|full] [--runs N] [--courseware FOLDER]
FOLDER (or BENCH_COURSEWARE) holds the editions e1, e2, e3; without it a library is made here.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import figures
import media_tree
import small_texts
from measuring import Command, Failed, bytes_of, files_of, first_byte_s, machine, measure, median, warm
from peers import Copy, all_peers

SIZES = {"try": {"megabytes": 24, "texts": 1_500, "runs": 1}, "small": {"megabytes": 256, "texts": 12_000, "runs": 3},
         "full": {"megabytes": 1_000, "texts": 117_000, "runs": 5}}
CAT_TIMES = 21
BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"


class Bench:
    def __init__(self, scratch, options):
        self.scratch, self.options, self.out = scratch, options, scratch / "out"
        self.peers = all_peers(scratch)
        self.tools = [peer.name for peer in self.peers] + [Copy.name]
        self.report = {"machine": machine(), "options": vars(options), "started": time.strftime("%FT%T%z"),
                       "versions": {peer.name: peer.version() for peer in self.peers}}
        self.workloads = []

    def say(self, text):
        print(text, flush=True)

    def begin(self, name, tree):
        workload = figures.Workload(name, bytes_of(tree), sum(1 for _ in files_of(tree)))
        self.workloads.append(workload)
        self.say(f"{name}: {workload.size / 1e6:.1f} MB in {workload.files} files")
        return workload

    def step(self, workload, peer, step, commands, read_before):
        if commands is not None:
            warm(read_before)
            workload.add(peer.name, step, measure(commands, self.scratch))

    def restored(self, workload, peer, tree, edition):
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()
        read_before = tree if peer.name == Copy.name else peer.repository
        self.step(workload, peer, f"restore {edition}", peer.restore(edition, self.out), read_before)
        # Satchel's checkout has waited for the disk already; the others say that they are done before that.
        workload.add(peer.name, f"then sync {edition}",
                     measure([Command(["sync", "-f", self.out])], self.scratch, is_after_others=False))
        if bytes_of(self.out) < workload.size:
            workload.notes.append(f"{peer.name} restored {bytes_of(self.out)} of {workload.size} bytes")
        shutil.rmtree(self.out)

    def taken(self, workload, peer, tree, edition, editions):
        self.step(workload, peer, f"ingest {edition}", peer.ingest(tree, edition), tree)
        workload.stored.setdefault(peer.name, {})[editions] = peer.stored_bytes()

    def first_edition(self, workload, peer, tree):
        self.taken(workload, peer, tree, "e1", "e1")
        if peer.name == "satchel":
            self.look_closer(workload, peer, tree)

    def look_closer(self, workload, satchel, tree):
        parts = satchel.parts()
        parts["index"] = figures.index_bytes(satchel.site)
        parts["caches"] = satchel.cache_bytes()
        parts["parity_in_packs"] = min(parts["parity"], satchel.ask("store", "stats").get("parity_bytes", 0))
        workload.more["satchel_parts"] = parts
        if "first_byte_s" in workload.more:
            return
        # A folder with a course.json is one course; else each folder in it is.
        whole = (tree / "course.json").is_file()
        folders = {course: tree if whole else tree / course for course in satchel.courses()}
        found = sorted((os.path.getsize(path), course, os.path.relpath(path, folder))
                       for course, folder in folders.items() for path in files_of(folder))
        small = next(item for item in found if item[0] >= 200)
        workload.more["first_byte_s"] = {
            f"a file of {size} B": median([first_byte_s(
                [satchel.program, "--site", satchel.site, "cat", course, path]) for _ in range(CAT_TIMES)])
            for size, course, path in (small, found[-1])}

    def media_turn(self, workload, peer, trees):
        self.first_edition(workload, peer, trees["e1"])
        self.restored(workload, peer, trees["e1"], "e1")
        self.step(workload, peer, "verify", peer.verify(), peer.repository)
        self.taken(workload, peer, trees["e2"], "e2", "e1+e2")
        self.step(workload, peer, "drop e1", peer.drop("e1"), peer.repository)

    def three_editions(self, workload, peer, trees):
        for edition, tree in trees.items():
            measure(peer.ingest(tree, edition), self.scratch)
        workload.stored[peer.name]["e1+e2+e3"] = peer.stored_bytes()

    def texts_turn(self, workload, peer, tree):
        self.first_edition(workload, peer, tree)
        self.step(workload, peer, "unchanged", peer.ingest(tree, "e2"), tree)
        self.restored(workload, peer, tree, "e1")
        self.step(workload, peer, "verify", peer.verify(), peer.repository)

    def guarded(self, workload, peer, turn, *arguments):
        """A tool that fails is noted, and the others go on."""
        begun = time.monotonic()
        try:
            peer.fresh()
            turn(workload, peer, *arguments)
        except Failed as failure:
            workload.notes.append(f"{peer.name} failed: {failure}")
            self.say(f"  {workload.notes[-1]}")
        finally:
            peer.remove()
        self.say(f"  {peer.name:12} {time.monotonic() - begun:7.1f} s")
        self.save()

    def copies(self, workload, tree):
        copy = Copy(self.scratch)
        copy.ingest(tree, "e1")
        self.restored(workload, copy, tree, "e1")
        workload.more.setdefault("disk_alone_s", []).append(self.disk_alone_s(workload.size))

    def disk_alone_s(self, size):
        """As many bytes written into one file and synced: what no tool that waits for the disk can beat."""
        os.sync()
        block = os.urandom(1 << 20)
        path = self.scratch / "disk-alone"
        begun = time.monotonic()
        with open(path, "wb", buffering=0) as file:
            for _ in range(size >> 20):
                file.write(block)
            os.fsync(file.fileno())
        seconds = time.monotonic() - begun
        path.unlink()
        return seconds

    def media(self, trees):
        workload = self.begin("media", trees["e1"])
        for run in range(self.options.runs):
            self.say(f" run {run + 1} of {self.options.runs}")
            for peer in self.peers:
                self.guarded(workload, peer, self.media_turn, trees)
            self.copies(workload, trees["e1"])
        self.say(" three editions, for their bytes")
        for peer in self.peers:
            self.guarded(workload, peer, self.three_editions, trees)

    def texts(self, tree):
        workload = self.begin("texts", tree)
        for run in range(self.options.runs):
            self.say(f" run {run + 1} of {self.options.runs}")
            for peer in self.peers:
                self.guarded(workload, peer, self.texts_turn, tree)
            self.copies(workload, tree)

    def measure_rates(self):
        try:
            program = pathlib.Path(os.environ["SATCHEL"]).parent / "satchel-rates"
            self.report["rates_mb_per_s"], self.report["bounds_s_per_gb"] = figures.rates_of_machine(program)
        except (OSError, subprocess.CalledProcessError) as error:
            self.say(f"the rates of this machine are not known: {error}")

    def save(self, goals=None):
        self.report["workloads"] = {workload.name: workload.as_json() for workload in self.workloads}
        self.report["goals"] = goals.rows if goals else []
        self.options.results.with_suffix(".json").write_text(
            json.dumps(self.report, ensure_ascii=False, indent=1, default=str), encoding="utf-8")

    def conclude(self):
        media, texts = self.workloads
        goals = figures.Goals()
        rates = self.report.get("rates_mb_per_s", {})
        goals.ingest(media, texts, self.report.get("bounds_s_per_gb", {}))
        goals.reading(media)
        goals.space(media, texts)
        goals.memory_and_reading(media, texts)
        here = self.report["machine"]
        lines = [f"{here['processors']} x {here['model']}, {here['memory_gib']} GiB; "
                 f"median of {self.options.runs} runs"]
        lines += [f"{name}: {version}" for name, version in self.report["versions"].items()]
        for workload in self.workloads:
            lines += ["", *figures.table_of(workload, self.tools), *workload.notes]
        lines += ["", "rates of this machine, MB/s: " + (json.dumps(rates) if rates else "not known"), *goals.lines()]
        self.options.results.with_suffix(".txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.say("\n" + "\n".join(lines))
        self.save(goals)


def options_of():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default=os.environ.get("BENCH_SIZE", "small"))
    parser.add_argument("--runs", type=int, default=int(os.environ.get("RUNS", "0")))
    parser.add_argument("--courseware", type=pathlib.Path, default=os.environ.get("BENCH_COURSEWARE"))
    parser.add_argument("--texts", type=int, help="how many small text files")
    parser.add_argument("--results", type=pathlib.Path, default=BUILD / "bench" / "store_against_peers")
    options = parser.parse_args()
    size = SIZES[options.size]
    options.runs, options.texts = options.runs or size["runs"], options.texts or size["texts"]
    options.megabytes = size["megabytes"]
    return options


def trees_of(options, scratch):
    courseware = pathlib.Path(options.courseware).resolve() if options.courseware else scratch / "courseware"
    if not options.courseware:
        print(f"making a library of {options.megabytes} MB in three editions", flush=True)
        media_tree.make(courseware, options.megabytes)
    trees = {name: courseware / name for name in ("e1", "e2", "e3")}
    for tree in trees.values():
        if not tree.is_dir():
            sys.exit(f"there is no folder {tree}")
    print(f"making {options.texts} small text files", flush=True)
    small_texts.make(scratch / "texts", options.texts)
    return trees, scratch / "texts"


def main():
    options = options_of()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the scratch folder goes then, too
    options.results.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="peers.", dir=options.results.parent) as folder:
        scratch = pathlib.Path(folder)
        trees, texts = trees_of(options, scratch)
        bench = Bench(scratch, options)
        bench.measure_rates()
        bench.media(trees)
        bench.texts(texts)
        bench.conclude()


if __name__ == "__main__":
    main()
