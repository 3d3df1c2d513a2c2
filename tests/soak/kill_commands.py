"""The commands of kill_links.py that work on one site alone, killed: record and report."""
import shutil
import signal
import subprocess
import time

from kill_county import (FILE_LINES, Beside, Failure, Owner, check_all_ends, check_new, own_records, records_of,
                         report_of, report_row, verify, write_lines)
from killing import READS, WRITES, Phase, kill_when, progress_of, satchel, start

BATCH = 256  # of the lines of a file so many are recorded at once, all or none


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
        except (Failure, SystemExit, RuntimeError, subprocess.SubprocessError) as failure:
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
        before, kind, measure = {each["id"] for each in records_of(hub)}, turn % 2, turn // 2 % 2
        process = start((self.single, self.file)[kind](hub), stdout=subprocess.PIPE)
        if not kill_when(process, WRITES, measure, self.whole[kind][measure] * moment):
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
