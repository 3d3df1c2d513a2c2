#!/usr/bin/env python3
"""kill -9 at moments spread evenly over the progress of publish, stick write, stick read and checkout.

Progress is what the kernel has seen the process write: half of the moments are spread over its bytes, half over its
calls, so that the short ends (database, mirror, head) get their share. After each kill: what was acknowledged before
is there, `store verify` and `catalogue verify` are clean, a stick in any state can be read, the same command
finishes with the right result, and at most one chunk moves again (by what the second run leaves on disk against a
run that was never stopped).

Use: SATCHEL=path/to/satchel kill.py [--count 200] [--megabytes 24]
"""
import argparse
import pathlib
import shutil
import subprocess
import tempfile

from killing import (EARLIER, SATCHEL, WRITES, Phase, finish, kill_when, make_courseware, plain, print_head,
                     progress_of, satchel, size_of, start, summary)

# A pack that was stopped may hold one commit more, which ends in zeros up to the next block of 4 KiB.
PACK_EXTRA = 4096
# A stick that was stopped may hold one more commit record, and a second volume with its header and its freight.
STICK_EXTRA = 16 * 1024


class Command(Phase):
    def __init__(self, name, base, arguments, watched, site, extra):
        super().__init__(name)
        self.base, self.arguments, self.watched, self.site, self.extra = base, arguments, watched, site, extra

    def fresh(self, scratch):
        place = scratch / "run"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.base, place, symlinks=True)
        return place

    def measure(self, scratch):
        place = self.fresh(scratch)
        self.whole = progress_of(self.arguments(place))
        self.end = size_of([place / watched for watched in self.watched])

    def kill_at(self, scratch, moment, measure):
        place = self.fresh(scratch)
        if not kill_when(start(self.arguments(place)), WRITES, measure, self.whole[measure] * moment):
            self.missed += 1
            return
        self.note_kill(moment)
        at_kill = size_of([place / watched for watched in self.watched])
        if not self.is_sound(place, moment):
            return
        again = satchel(*self.arguments(place), check=False)
        if again.returncode != 0:
            self.fail(moment, "the same command did not finish: " + again.stderr.decode()[-300:])
            return
        if self.name == "checkout":
            moved_again = summary(again)["bytes_written"] + at_kill - self.end
        else:
            moved_again = size_of([place / watched for watched in self.watched]) - self.end
        self.note_again(moment, moved_again, self.extra)
        if self.is_sound(place, moment):
            self.check_result(place, moment)

    def is_sound(self, place, moment):
        """What was acknowledged before the command is there, and all that is there is whole."""
        site = place / self.site
        for check in (("store", "verify"), ("catalogue", "verify"), ("status",)):
            done = satchel("--site", site, *check, check=False)
            if done.returncode != 0:
                self.fail(moment, f"{' '.join(check)}: " + done.stderr.decode()[-300:])
                return False
        earlier = subprocess.run([SATCHEL, "--site", site, "cat", "earlier", "page.txt"], capture_output=True)
        if earlier.stdout.decode() != EARLIER:
            self.fail(moment, "what was acknowledged is missing: " + earlier.stderr.decode()[-300:])
            return False
        if self.name != "stick write":
            return True
        shutil.rmtree(place / "reader", ignore_errors=True)
        shutil.copytree(place / "village", place / "reader")
        shutil.rmtree(place / "copy", ignore_errors=True)
        shutil.copytree(place / "stick", place / "copy")
        read = satchel("--site", place / "reader", "stick", "read", place / "copy", check=False)
        if read.returncode not in (0, 3) or satchel("--site", place / "reader", "store", "verify",
                                                    check=False).returncode != 0:
            self.fail(moment, "the stick cannot be read: " + read.stderr.decode()[-300:])
            return False
        return True

    def check_result(self, place, moment):
        site = place / self.site
        if self.name == "stick write":
            read = satchel("--site", place / "village", "stick", "read", place / "stick", check=False)
            if read.returncode != 0:
                return self.fail(moment, "the finished stick is not whole: " + read.stderr.decode()[-300:])
            site = place / "village"
        for course in ("alpha", "beta"):
            why = summary(satchel("--site", site, "why", course))
            if why["state"] != "complete":
                return self.fail(moment, f"{course} is {why['state']}")
        if self.name == "checkout":
            source, out = place / "courseware" / "alpha", place / "out"
            same = subprocess.run(["diff", "-r", source, out], capture_output=True)
            if same.returncode != 0:
                self.fail(moment, "the checkout differs: " + same.stdout.decode()[:300])


def prepare(root, megabytes):
    """Four folders, each in the state just before its phase's command; a course was carried before all that."""
    base = root / "base"
    base.mkdir()
    (base / "stick").mkdir()
    (base / "before" / "earlier").mkdir(parents=True)
    (base / "before" / "earlier" / "page.txt").write_text(EARLIER)
    satchel("init", base / "hub", "--network", "Kill county")
    (base / "request").write_bytes(plain("join-request", base / "village", "--site-name", "village"))
    (base / "grant").write_bytes(plain("--site", base / "hub", "enrol", base / "request"))
    satchel("join", base / "village", base / "grant")
    satchel("--site", base / "hub", "publish", base / "before")
    satchel("--site", base / "hub", "stick", "write", base / "stick")
    satchel("--site", base / "village", "stick", "read", base / "stick")
    satchel("--site", base / "hub", "stick", "read", base / "stick")
    make_courseware(base / "courseware", megabytes)
    phases = []

    def phase(name, arguments, watched, site, extra):
        state = root / name.replace(" ", "-")
        shutil.copytree(base, state, symlinks=True)
        phases.append(Command(name, state, arguments, watched, site, extra))

    publish = lambda place: ("--site", place / "hub", "publish", place / "courseware")
    phase("publish", publish, ["hub/packs"], "hub", PACK_EXTRA)
    satchel(*publish(base))
    write = lambda place: ("--site", place / "hub", "stick", "write", place / "stick")
    phase("stick write", write, ["stick"], "hub", STICK_EXTRA)
    satchel(*write(base))
    read = lambda place: ("--site", place / "village", "stick", "read", place / "stick")
    phase("stick read", read, ["village/packs"], "village", PACK_EXTRA)
    satchel(*read(base))
    checkout = lambda place: ("--site", place / "village", "checkout", "alpha", place / "out")
    phase("checkout", checkout, ["out", "out.satchel-part"], "village", 0)
    return phases


def main(words=__doc__, prepare_phases=prepare, megabytes=24):
    parser = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--megabytes", type=int, default=megabytes)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="satchel-kill.") as folder:
        root = pathlib.Path(folder)
        phases = prepare_phases(root, options.megabytes)
        each = max(1, options.count // len(phases))
        print_head()
        for phase in phases:
            phase.measure(root)
            phase.run(each, lambda moment, turn, phase=phase: phase.kill_at(root, moment, turn % 2))
        finish(phases, [each] * len(phases))


if __name__ == "__main__":
    main()
