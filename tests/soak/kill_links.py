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
import signal
import tempfile
import threading
import time
import urllib.request

from counting_line import Line
from kill_commands import Local, Record, Report
from kill_county import BUSY, PATIENCE_S, Beside, Failure, check_agreement, check_course, make_county, verify
from killing import finish, print_head, satchel, start, summary

RATE = 5_000_000  # bytes a second of the line
# A second contact greets anew and asks again, and records that went up meanwhile are acknowledged.
LINK_EXTRA = 16 * 1024
RANGE = 96 * 1024  # that the player asks for


class Linked(Local):
    """A transfer over a line that stands still at the moment of the kill."""

    def connect(self, to):
        self.line = Line(to.port, RATE)
        return f"127.0.0.1:{self.line.port}"

    def measure(self):
        hub, village = self.fresh("hub", "village")
        hub_owner = self.begin(hub)
        at, begun = self.connect(hub_owner), time.monotonic()
        satchel("--site", village, "sync", at)
        self.note_whole(begun)
        hub_owner.stop()

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
        self.may_break, self.stopping = False, False
        self.broken, self.go_on = threading.Event(), threading.Event()
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
                self.broken.set()
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
            if not player.broken.wait(PATIENCE_S):
                raise Failure("the player still plays from an owner that was killed")
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
        wanted = [(options.count + len(phases) - 1 - i) // len(phases) for i in range(len(phases))]
        print_head()
        for phase, count in zip(phases, wanted):
            phase.measure()
            phase.run(count, phase.kill_at)
            phase.end()
        finish(phases, wanted)


if __name__ == "__main__":
    main()
