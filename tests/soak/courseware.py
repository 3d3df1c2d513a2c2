#!/usr/bin/env python3
"""Three editions go from a hub to a village by stick, and a reader of its own (formats.py) judges what travelled.

After each edition the village's checkout is the source: bytes, names, times, modes. What the stick carries for an
edition is at most 1.01 x the stored size of the objects that the village lacked + 64 B an object + 400 B a changed
file + 8 KiB. No change costs more than its new bytes and two largest chunks at each place where they stand; what was
only touched, renamed, swapped or put back costs no chunk. What a folder holds that can't be carried is named.

Use: SATCHEL=path/to/satchel courseware.py [FOLDER]
FOLDER (or SATCHEL_COURSEWARE) holds e1, e2, e3 and changes-e1-e2.json, changes-e2-e3.json: a list of objects with id,
kind, files, bytes, expected_new_bytes, regions, paths. Without it a small tree is made. Run by root, the program
itself runs as nobody.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile

import courseware_tree
import formats

PER_OBJECT, PER_FILE, PER_EDITION = 64, 400, 8 * 1024
NOBODY = 65534
PATH_DEPTH_MAX = 64
COSTS_NO_CHUNK = {
    "touched", "renamed file", "moved file", "renamed folder", "names swapped", "copied across courses", "mode",
    "case of a name", "unicode form of a name", "reverted", "restored", "moved courses", "course comes back",
    "deep folder renamed", "copy removed", "retired course", "truncated",
}


class Failure(Exception):
    pass


class Program:
    def __init__(self, scratch):
        # A copy, because nobody need not reach the folder it was built in.
        self.path = str(scratch / "satchel")
        shutil.copy(os.environ["SATCHEL"], self.path)
        os.chmod(self.path, 0o755)
        self.as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}

    def run(self, *arguments, allowed=(0,)):
        done = subprocess.run([self.path, *map(str, arguments)], capture_output=True, **self.as_nobody)
        if done.returncode not in allowed:
            raise Failure(f"{arguments} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-800:]}")
        return done

    def ask(self, *arguments, allowed=(0,)):
        return json.loads(self.run("--json", *arguments, allowed=allowed).stdout.splitlines()[-1])


def load_changes(folder, before, name):
    """The changes from one edition to the next. A long list of paths is cut short by "... N in all": then its paths
    are those below the same folder whose bytes are new, by the editions' indexes, and that no other change names."""
    changes = json.loads((folder / f"changes-{before}-{name}.json").read_text())
    claimed = {path for change in changes for path in change["paths"]}
    for change in changes:
        if not change["paths"] or not change["paths"][-1].startswith("... "):
            continue
        listed = change["paths"][:-1]
        below = os.path.commonpath(listed) + "/"
        indexes = [json.loads((folder / f"index-{each}.json").read_text())["list"] for each in (before, name)]
        sums = [{item["path"]: item["sha256"] for item in index} for index in indexes]
        change["paths"] = listed + [path for path, digest in sums[1].items() if path.startswith(below) and
                                    path not in claimed and sums[0].get(path) != digest]
        if len(change["paths"]) != change["files"]:
            raise Failure(f"{change['id']}: {len(change['paths'])} paths instead of {change['files']}")
    return changes


def walk(root, base=b""):
    """Every entry below a folder as (path, lstat), links not followed, in any order."""
    for entry in os.scandir(os.path.join(root, base) if base else root):
        path = os.path.join(base, entry.name) if base else entry.name
        info = entry.stat(follow_symlinks=False)
        yield path, info
        if stat.S_ISDIR(info.st_mode):
            yield from walk(root, path)


def can_be_carried(program, path, info):
    try:
        text = path.decode()
    except UnicodeDecodeError:
        return False
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text) or text.count("/") >= PATH_DEPTH_MAX:
        return False
    if not (stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode)):
        return False
    reader = NOBODY if program.as_nobody else os.geteuid()
    return reader == 0 or bool(info.st_mode & (stat.S_IRUSR if info.st_uid == reader else stat.S_IROTH))


class Source:
    """An edition's folder: what of it must arrive, and what must be named as left out."""

    def __init__(self, program, folder):
        self.folder, self.carried, self.left_out = os.fsencode(folder), {}, set()
        for path, info in walk(self.folder):
            if can_be_carried(program, path, info):
                self.carried[path] = info
            else:
                self.left_out.add(one_mark(path.decode(errors="replace")))


def one_mark(path):
    return re.sub("\ufffd+", "\ufffd", path)  # decoders differ in how many marks stand for a broken stretch


def same_bytes(one, other):
    with open(one, "rb") as first, open(other, "rb") as second:
        while True:
            block = first.read(1 << 20)
            if block != second.read(1 << 20):
                return False
            if not block:
                return True


def compare(source, checkout, loose):
    """Differences between the edition's folder and the folder with all courses that were checked out."""
    checkout, differences, seen = os.fsencode(checkout), [], set()
    for path, is_info in walk(checkout):
        plain = path[len(loose) + 1:] if path.startswith(loose + b"/") else path
        if path == loose or path.endswith(b".b2sums") and b"/" not in path:
            continue
        was = source.carried.get(plain)
        seen.add(plain)
        if was is None:
            differences.append((plain, "was not in the source"))
            continue
        for what, one, other in (("type", stat.S_IFMT(was.st_mode), stat.S_IFMT(is_info.st_mode)),
                                 ("mode", was.st_mode & 0o777, is_info.st_mode & 0o777),
                                 ("time", was.st_mtime_ns, is_info.st_mtime_ns)):
            # The top folder of a course is the one that checkout was told to make: its mode is the user's.
            if one != other and (b"/" in plain or what == "type" or not stat.S_ISDIR(was.st_mode)):
                differences.append((plain, f"its {what} was {one} and is {other}"))
        here, there = os.path.join(source.folder, plain), os.path.join(checkout, path)
        if stat.S_ISREG(was.st_mode) and not same_bytes(here, there):
            differences.append((plain, "its bytes differ"))
    differences += [(path, "did not arrive") for path in source.carried if path not in seen]
    return differences


class Walkthrough:
    def __init__(self, scratch, courseware):
        self.scratch, self.courseware, self.program = scratch, courseware, Program(scratch)
        self.hub, self.village, self.stick = scratch / "hub", scratch / "village", scratch / "stick"
        self.stick.mkdir()
        if self.program.as_nobody:
            for place in (scratch, self.stick):
                os.chown(place, NOBODY, NOBODY)
        self.failures = 0
        self.found_network()

    def fail(self, what):
        self.failures += 1
        print("  FAILED " + what)

    def found_network(self):
        run = self.program.run
        run("init", self.hub, "--network", "Courseware county")
        (self.scratch / "request").write_bytes(run("join-request", self.village, "--site-name", "village").stdout)
        (self.scratch / "grant").write_bytes(run("--site", self.hub, "enrol", self.scratch / "request").stdout)
        run("join", self.village, self.scratch / "grant")

    def publish(self, name):
        source = Source(self.program, self.courseware / name)
        allowed = (3,) if source.left_out else (0,)
        report = self.program.ask("--site", self.hub, "publish", self.courseware / name, allowed=allowed)
        named = {one_mark(item["path"]) for item in report["skipped"]}
        if report["skipped_count"] != len(named) or named != source.left_out:
            self.fail(f"{name}: left out but not named: {sorted(source.left_out - named)[:5]}; "
                      f"named but could be carried: {sorted(named - source.left_out)[:5]}")
        return source, report

    def volumes(self):
        return {path: path.stat().st_size for path in self.stick.glob("SATCHEL/*/0*.SAT")}

    def own_folder(self):
        ident = self.program.ask("--site", self.hub, "status")["site"]
        return self.stick / "SATCHEL" / ident[:8].upper()

    def carry(self):
        """Writes the stick at the hub; returns the bytes that came onto it and the ids of their objects."""
        before = self.volumes()
        self.program.ask("--site", self.hub, "stick", "write", self.stick)
        after = {path: size for path, size in self.volumes().items() if path.parent == self.own_folder()}
        grown = sum(max(0, size - before.get(path, 0)) for path, size in after.items())
        new = [record.id for path in after if path not in before for record in formats.volume_records(path)
               if record.kind == formats.CHUNK]
        return grown, new

    def arrive(self, name, source, report):
        read = self.program.ask("--site", self.village, "stick", "read", self.stick)
        if read["damaged_count"] or read["refused"]:
            self.fail(f"{name}: the stick was not taken whole: {read}")
        out = self.scratch / f"out-{name}"
        out.mkdir()
        if self.program.as_nobody:
            os.chown(out, NOBODY, NOBODY)
        for course in report["courses"]:
            self.program.ask("--site", self.village, "checkout", course["course"], out / course["course"])
        differences = compare(source, out, b"loose-files")
        for path, what in differences[:10]:
            self.fail(f"{name}: {os.fsdecode(path)}: {what}")
        self.failures += max(0, len(differences) - 10)
        shutil.rmtree(out)
        print(f"{name}: {len(source.carried)} entries arrived, {len(differences)} differ; "
              f"{len(source.left_out)} can't be carried and are named")

    def editions(self, report):
        store = formats.Store(self.hub / "packs")
        return store, {course["course"]: formats.Edition(store, bytes.fromhex(course["manifest"]))
                       for course in report["courses"]}

    def check_nothing_from_outside(self, source, store):
        """What links of the folder lead to must not be in the store, unless the folder itself holds it too."""
        inside = {formats.hash_of(open(os.path.join(source.folder, path), "rb").read())
                  for path, info in source.carried.items() if stat.S_ISREG(info.st_mode) and info.st_size < 1 << 20}
        for path, info in walk(source.folder):
            target = os.path.join(source.folder, path)
            if stat.S_ISLNK(info.st_mode) and os.path.isfile(target) and os.path.getsize(target) > 0:
                ident = formats.hash_of(open(target, "rb").read())
                if ident not in inside and ident in store.objects:
                    self.fail(f"a file outside was read by way of {os.fsdecode(path)}")

    def first(self):
        source, report = self.publish("e1")
        grown, _ = self.carry()
        print(f"e1: {grown} bytes on the stick")
        self.check_nothing_from_outside(source, self.editions(report)[0])
        self.arrive("e1", source, report)

    def next(self, name, changes):
        held = set(formats.Store(self.village / "packs").objects)
        self.program.ask("--site", self.hub, "stick", "read", self.stick)
        source, report = self.publish(name)
        grown, carried = self.carry()
        store, editions = self.editions(report)
        needed = set()
        for edition in editions.values():
            needed.update(edition.nodes)
            for entry in edition.entries:
                needed.update({entry.recipe} if entry.recipe else ())
                needed.update(chunk for chunk, _, _ in edition.content(entry)[1])
        lacked = needed - held
        stored = sum(store.stored(ident) for ident in lacked)
        changed = sum(change["files"] for change in changes)
        most = stored * 101 // 100 + PER_OBJECT * len(lacked) + PER_FILE * changed + PER_EDITION
        print(f"{name}: {grown} bytes came onto the stick, {most} allowed: {len(lacked)} objects lacked, "
              f"{stored} bytes stored, {changed} files changed")
        if grown > most:
            self.fail(f"{name}: {grown - most} bytes more than allowed")
        if sorted(carried) != sorted(lacked):
            self.fail(f"{name}: {len(set(carried) - lacked)} objects too many on the stick, "
                      f"{len(lacked - set(carried))} too few, {len(carried) - len(set(carried))} twice")
        self.judge_changes(name, changes, editions, store, lacked)
        self.arrive(name, source, report)

    def judge_changes(self, name, changes, editions, store, lacked):
        print(f"  {'change':7} {'kind':38} {'files':>5} {'bytes':>10} {'sent':>9} {'allowed':>10} {'chunks':>6} "
              f"{'recipes':>7}")
        told, total = {}, 0  # bytes of each chunk that some change has been charged with
        places = {course + "/" + os.fsdecode(entry.path) if course != "loose-files" else os.fsdecode(entry.path):
                  (edition, entry) for course, edition in editions.items() for entry in edition.entries}
        for change in changes:
            named, recipes, largest = {}, set(), formats.LARGEST_CHUNK[formats.SMALL]
            for path in change["paths"]:
                edition, entry = places[path]
                chunk_class, extents = edition.content(entry)
                largest = max(largest, formats.LARGEST_CHUNK[chunk_class])
                for chunk, _, length in extents:
                    if chunk in lacked:
                        named[chunk] = named.get(chunk, 0) + length
                recipes.update({entry.recipe} & lacked if entry.recipe else ())
            # Sent once, it counts where it is met first; a chunk that small files share counts by their parts.
            sent, chunks = 0, set()
            for chunk, length in named.items():
                plain = len(store.read(chunk))
                part = min(length, plain - told.get(chunk, 0))
                told[chunk] = told.get(chunk, 0) + part
                sent += -(-store.stored(chunk) * part // plain)
                chunks.update({chunk} if part else ())
            total += sent
            most = min(change["bytes"], change["expected_new_bytes"] + 2 * largest * change["regions"])
            print(f"  {change['id']:7} {change['kind']:38} {change['files']:5} {change['bytes']:10} {sent:9} {most:10} "
                  f"{len(chunks):6} {len(recipes):7}")
            if sent > most:
                self.fail(f"{name} {change['id']}: {sent - most} bytes more than allowed")
            if change["kind"] in COSTS_NO_CHUNK and chunks:
                self.fail(f"{name} {change['id']}: {len(chunks)} chunks for what costs none")
        print(f"  all changes: {total} bytes of chunks")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default=os.environ.get("SATCHEL_COURSEWARE"))
    options = parser.parse_args()
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="satchel-courseware."))
    try:
        courseware = pathlib.Path(options.folder) if options.folder else scratch / "courseware"
        if not options.folder:
            courseware_tree.make(courseware)
        walkthrough = Walkthrough(scratch, courseware)
        walkthrough.first()
        for before, name in (("e1", "e2"), ("e2", "e3")):
            walkthrough.next(name, load_changes(courseware, before, name))
        failures = walkthrough.failures
    except Failure as failure:
        print(f"FAILED {failure}")
        failures = 1
    finally:
        subprocess.run(["chmod", "-R", "u+rwX", scratch], check=False)
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"summary: three editions of {options.folder or 'a small tree made here'}, {failures} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
