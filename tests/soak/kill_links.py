#!/usr/bin/env python3
"""kill -9 at moments spread evenly over record, report, sync (either end) and play, while records and reports go on.

Half of the moments are spread over bytes: those that a command reads or writes, or that the link has moved; half over
its calls, or over the time of the transfer. After each kill: every record that was acknowledged is there, every
other one whole, once, or not at all; what is there verifies; the same command finishes; both ends agree; and by what
the line delivered at most one chunk came again, against a transfer that nobody stopped.

Use: SATCHEL=path/to/satchel kill_links.py [--count 200] [--megabytes 6]
"""
import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request

from counting_line import Line
from kill_county import (BUSY, FILE_LINES, PATIENCE_S, Beside, Failure, Owner, check_agreement, check_all_ends,
                         check_course, check_new, make_county, own_records, records_of, report_of, report_row, verify,
                         write_lines)
from killing import READS, WRITES, Phase, finish, items, kill_when, print_head, progress_of, satchel, start, summary

RATE = 5_000_000  # bytes a second of the line
BATCH = 256  # of the lines of a file so many are recorded at once, all or none
# A second contact greets anew and asks again, and records that went up meanwhile are acknowledged.
LINK_EXTRA = 16 * 1024
RANGE = 96 * 1024  # that the player asks for


class Local(Phase):
    """A command on one site; what it left is looked at, then it is run again."""

    def __init__(self, name, base, scratch):
        super().__init__(name)
        self.base, self.scratch, self.last = base, scratch, None
        self.running = []  # owners and lines of this turn

    def fresh(self, *sites):
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        for site in sites:
            shutil.copytree(self.base / site, self.scratch / site, symlinks=True)
        return [self.scratch / site for site in sites]

    def begin(self, *arguments, **options):
        owner = Owner(*arguments, **options)
        self.running.append(owner)
        return owner

    def kill_at(self, moment, turn):
        try:
            if self.turn(moment, turn):
                self.note_kill(moment)
            else:
                self.missed += 1
        except (Failure, SystemExit, subprocess.SubprocessError) as failure:
            self.note_kill(moment)
            self.fail(moment, str(failure))
        for each in self.running:
            each.process.kill()
            each.process.wait()
        self.running = []

    def end(self):
        """All ends, after the last turn."""
        hub = self.scratch / "hub"
        shutil.copytree(self.base / "office", self.scratch / "office", symlinks=True)
        owner = Owner(hub)
        try:
            check_all_ends(hub, self.scratch / "office", owner.address)
        except (Failure, SystemExit) as failure:
            self.fail(1, str(failure))
        owner.stop()


class Record(Local):
    def single(self, hub):
        return "--site", hub, "record", "viewing", "course=maths", "headcount=700", "dur=700"

    def file(self, hub):
        return "--site", hub, "record", "--file", self.base / "more.jsonl"

    def measure(self):
        write_lines(self.base / "more.jsonl", "510700-0002")
        self.whole = [progress_of(self.single(*self.fresh("hub"))), progress_of(self.file(*self.fresh("hub")))]
        self.report = report_of(self.scratch / "hub")

    def turn(self, moment, turn):
        (hub,) = self.fresh("hub")
        before, kind = {each["id"] for each in records_of(hub)}, turn // 2 % 2
        process = start((self.single, self.file)[kind](hub), stdout=subprocess.PIPE)
        if not kill_when(process, WRITES, turn % 2, self.whole[kind][turn % 2] * moment):
            return False
        verify(hub)
        here = records_of(hub)
        new = [each for each in here if each["id"] not in before]
        if len(here) - len(new) != len(before):
            raise Failure("what was acknowledged before is missing")
        if kind == 0:
            check_new(new, 700, 700)
            if b'"id"' in process.stdout.read() and len(new) != 1:
                raise Failure("a record is missing whose identity was told")
            if not new:
                satchel(*self.single(hub))
            if len(records_of(hub)) != len(before) + 1:
                raise Failure("the record is not here once")
        else:
            check_new(new, 1, FILE_LINES)
            if len(new) % BATCH != 0 and len(new) != FILE_LINES:
                raise Failure(f"{len(new)} lines of the file are here: no whole batches")
            satchel(*self.file(hub))
            if report_of(hub) != self.report:
                raise Failure("the report after the second run is not as of one run")
        verify(hub)
        return True


class Report(Local):
    def report(self, hub):
        return "--site", hub, "report", "viewing", "--by", "site"

    def measure(self):
        self.fresh("hub")
        self.whole = progress_of(self.report(self.scratch / "hub"), READS)
        begun = time.monotonic()
        satchel(*self.report(self.scratch / "hub"))
        self.seconds = time.monotonic() - begun

    def killed_in_time(self, process, victim, moment):
        time.sleep(self.seconds * moment)
        if process.poll() is not None:
            return False
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        process.wait()
        return True

    def turn(self, moment, turn):
        (hub,) = self.fresh("hub")
        owner = self.begin(hub) if turn % 2 else None
        beside = Beside(hub)
        try:
            beside.one_more()
            process = start(self.report(hub))
            if owner is None:  # the site may be in use, then it ends
                killed = kill_when(process, READS, turn // 2 % 2, self.whole[turn // 2 % 2] * moment)
            else:
                killed = self.killed_in_time(process, owner.process if turn % 4 == 3 else process, moment)
            if killed:
                beside.one_more()
        finally:
            beside.stop()
        if not killed:
            return False
        beside.check()
        verify(hub)
        rows, own = report_row(hub, "hub"), own_records(hub)
        if [(row["views"], row["headcount"]) for row in rows] != [
                (str(len(own)), str(sum(each["headcount"] for each in own)))]:
            raise Failure(f"the report says {rows} of {len(own)} records")
        return True


class Linked(Local):
    """A transfer over a line that stands still at the moment of the kill."""

    def connect(self, to):
        self.line = Line(to.port, RATE)
        return f"127.0.0.1:{self.line.port}"

    def note_whole(self, begun):
        self.seconds, self.moved, self.delivered = time.monotonic() - begun, self.line.moved, self.line.delivered

    def comes(self, moment, measure, runs):
        """Waits until the moment has come; False when the transfer ended before."""
        begun = time.monotonic()
        if measure == 0:
            self.line.stand_still_at(self.moved * moment)
        while not self.line.reached.wait(0.004):
            if not runs():
                return False
            if measure == 1 and time.monotonic() - begun >= self.seconds * moment:
                break
        self.line.stand_still()
        return runs()

    def check_ends(self, hub, village, moment, moved_again):
        self.note_again(moment, moved_again, LINK_EXTRA)
        verify(hub, village)
        check_agreement(hub, village)
        check_course(village, self.base, "maths")


class Sync(Linked):
    """Killed at the village: its owner, the command that asks it, or a sync without an owner, in turn."""

    def sync(self, village, at):
        while True:  # the site may be in use
            process = start(("--site", village, "sync", at))
            time.sleep(0.02)
            if process.poll() != BUSY:
                return process

    def measure(self):
        hub, village = self.fresh("hub", "village")
        hub_owner = self.begin(hub)
        at, begun = self.connect(hub_owner), time.monotonic()
        satchel("--site", village, "sync", at)
        self.note_whole(begun)
        hub_owner.stop()

    def turn(self, moment, turn):
        hub, village = self.fresh("hub", "village")
        hub_owner, kind = self.begin(hub), turn // 2 % 3
        at = self.connect(hub_owner)
        owner = self.begin(village) if kind != 2 else None
        beside = Beside(village)
        try:
            if owner:
                beside.one_more()
            process = self.sync(village, at)
            if not self.comes(moment, turn % 2, lambda: process.poll() is None):
                process.wait()
                return False
            victim = process if kind else owner.process
            victim.send_signal(signal.SIGSTOP)
            got = self.line.delivered - self.line.unread()
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            self.line.cut()
            process.wait()
            beside.one_more()
        finally:
            self.line.go_on()
            beside.stop()
        beside.check()
        before = self.line.delivered
        satchel("--site", village, "sync", at)
        self.check_ends(hub, village, moment, got + self.line.delivered - before - self.delivered)
        beside.check()
        if kind == 1:
            owner.stop()
        hub_owner.stop()
        return True


class Serve(Linked):
    """Killed at the hub; the village waits for it and goes on."""

    measure = Sync.measure

    def turn(self, moment, turn):
        hub, village = self.fresh("hub", "village")
        owner = self.begin(hub)
        at = self.connect(owner)
        beside = Beside(hub)
        try:
            beside.one_more()
            process = start(("--site", village, "sync", at, "--wait", PATIENCE_S))
            if not self.comes(moment, turn % 2, lambda: process.poll() is None):
                process.wait()
                return False
            owner.kill()
            self.line.close()
            self.line.go_on()
            beside.one_more()
            owner = self.begin(hub, port=owner.port)
            self.line.open()
            beside.one_more()
            if process.wait() != 0:
                raise Failure(f"the sync ended with {process.returncode}")
        finally:
            self.line.go_on()
            beside.stop()
        beside.check()
        self.check_ends(hub, village, moment, self.line.delivered - self.delivered)
        owner.stop()
        return True


class Player(threading.Thread):
    """Plays the film of `earlier` by ranges, over and over; goes on where it stopped when the owner was killed."""

    def __init__(self, pages, film):
        super().__init__(daemon=True)
        self.film, self.at, self.played, self.wrong = film, 0, 0, ""
        self.may_break, self.stopping, self.go_on = False, False, threading.Event()
        self.url = pages + "lesson/earlier/film.mp4"

    def run(self):
        while not self.stopping and not self.wrong:
            last = min(self.at + RANGE, len(self.film)) - 1
            request = urllib.request.Request(self.url, headers={"Range": f"bytes={self.at}-{last}"})
            data = b""
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                    while part := answer.read1(16 * 1024):
                        data += part
            except OSError as error:
                if not self.may_break:
                    self.wrong = f"a range was not played: {error}"
            if data != self.film[self.at:self.at + len(data)]:
                self.wrong = "other bytes were played"
            if self.at + len(data) <= last and self.may_break:
                self.go_on.wait()
            elif self.at + len(data) <= last:
                self.wrong = self.wrong or f"a range ended after {len(data)} bytes"
            self.at = (self.at + len(data)) % len(self.film)
            self.played += len(data)


class Play(Linked):
    """Killed at the village, which shows courses to a browser while the link brings another one."""

    def serve(self, village, at):
        owner = self.begin(village, "--play", 0, "--peer", at)
        return owner, next(each["play"] for each in owner.news if "play" in each)

    def wait_for_course(self, owner, village):
        ends = 0
        while True:
            owner.wait_for(lambda: len(owner.said("ended")) > ends)
            ends = len(owner.said("ended"))
            if summary(satchel("--site", village, "why", "maths", check=False)).get("state") == "complete":
                return
            if not owner.runs():
                raise Failure("the owner ended by itself")

    def measure(self):
        hub, village = self.fresh("hub", "village")
        hub_owner, begun = self.begin(hub), time.monotonic()
        owner, _ = self.serve(village, self.connect(hub_owner))
        self.wait_for_course(owner, village)
        self.note_whole(begun)
        owner.stop()
        hub_owner.stop()

    def turn(self, moment, turn):
        hub, village = self.fresh("hub", "village")
        hub_owner = self.begin(hub)
        at = self.connect(hub_owner)
        owner, pages = self.serve(village, at)
        player = Player(pages, (self.base / "earlier" / "earlier" / "film.mp4").read_bytes())
        player.start()
        beside = Beside(village)
        try:
            if not self.comes(moment, turn % 2, lambda: not owner.said("ended")):
                return False
            owner.process.send_signal(signal.SIGSTOP)
            got, player.may_break = self.line.delivered - self.line.unread(), True
            owner.kill()
            self.line.cut()
            before, played = self.line.delivered, player.played
            owner, pages = self.serve(village, at)
            player.url, player.may_break = pages + "lesson/earlier/film.mp4", False
            player.go_on.set()
            beside.one_more()
            self.wait_for_course(owner, village)
            again = got + self.line.delivered - before - self.delivered
        finally:
            player.stopping = True
            player.go_on.set()
            beside.stop()
        player.join()
        if player.wrong or player.played < played + RANGE:
            raise Failure(player.wrong or "nothing was played after the kill")
        beside.check()
        satchel("--site", village, "sync", at)
        self.check_ends(hub, village, moment, again)
        owner.stop()
        hub_owner.stop()
        return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--megabytes", type=int, default=6)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kill.", dir=os.environ.get("SATCHEL_SOAK_DIR")) as folder:
        base, scratch = pathlib.Path(folder) / "base", pathlib.Path(folder) / "run"
        base.mkdir()
        make_county(base, options.megabytes)
        phases = [kind(name, base, scratch) for kind, name in (
            (Record, "record"), (Report, "report"), (Sync, "sync at village"), (Serve, "serve at hub"),
            (Play, "play at village"))]
        each = max(1, options.count // len(phases))
        print_head()
        for phase in phases:
            phase.measure()
            phase.run(each, phase.kill_at)
            phase.end()
        finish(phases, each)


if __name__ == "__main__":
    main()
