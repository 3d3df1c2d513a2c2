"""What kill.py, kill_links.py and full_disk.py share: courseware, the program, its progress, moments, the table."""
import json
import os
import random
import signal
import struct
import subprocess
import sys
import time

SATCHEL = os.environ["SATCHEL"]
CHUNK_MAX = 384 * 1024
RECORD_HEADER = 56
PARTS = 10  # of a command's progress, for the table
TURNS_MAX = 6  # for each kill: a command may end before its moment is seen
EARLIER = "what was there before\n"
READS, WRITES = ("rchar", "syscr"), ("wchar", "syscw")  # bytes and calls, as the kernel counts them


def make_courseware(folder, megabytes):
    chance = random.Random(7)
    for course in ("alpha", "beta"):
        base = folder / course
        base.mkdir(parents=True)
        size = megabytes * 1_000_000 // 2
        film = struct.pack(">I4s8s", 16, b"ftyp", b"isomiso2") + chance.randbytes(size * 3 // 4)
        (base / "film.mp4").write_bytes(film)
        for number in range(60):
            (base / f"page-{number:02}.html").write_bytes(chance.randbytes(size // 240))


def satchel(*arguments, check=True):
    done = subprocess.run([SATCHEL, "--json", *map(str, arguments)], capture_output=True, check=False)
    if check and done.returncode != 0:
        raise SystemExit(f"{arguments} ended with {done.returncode}: {done.stderr.decode()[-800:]}")
    return done


def plain(*arguments):
    return subprocess.run([SATCHEL, "--quiet", *map(str, arguments)], capture_output=True, check=True).stdout


def items(done):
    return [json.loads(line) for line in done.stdout.decode().splitlines() if line.startswith("{")]


def summary(done):
    return items(done)[-1]


def size_of(paths):
    return sum(os.path.getsize(os.path.join(folder, name))
               for path in paths for folder, _, names in os.walk(path) for name in names)


def progress(process, counters):
    """Bytes and calls so far; None when the process has ended."""
    try:
        with open(f"/proc/{process.pid}/io", encoding="ascii") as file:
            fields = dict(line.split(": ") for line in file.read().splitlines())
    except (FileNotFoundError, ProcessLookupError, PermissionError, ValueError):
        return None
    return tuple(int(fields[name]) for name in counters) if all(name in fields for name in counters) else None


def start(arguments, stdout=subprocess.DEVNULL):
    return subprocess.Popen([SATCHEL, "--json", *map(str, arguments)], stdout=stdout, stderr=subprocess.DEVNULL)


def progress_of(arguments, counters=WRITES):
    """How far the counters go when nobody stops the command: what it shows when it has ended, unreaped."""
    process = start(arguments)
    last = (0, 0)
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        last = progress(process, counters) or last
        time.sleep(0.0002)
    last = max(last, progress(process, counters) or last)
    if process.wait() != 0:
        raise SystemExit(f"{arguments} ended with {process.returncode}")
    return last


def kill_when(process, counters, measure, threshold):
    """Kills the process when its counter reaches the threshold; False when it ended before that was seen."""
    while process.poll() is None:
        now = progress(process, counters)
        if now is not None and now[measure] >= threshold:
            process.send_signal(signal.SIGKILL)
            return process.wait() == -signal.SIGKILL
    return False


class Phase:
    """The kills of one command: when they came, what was wrong, how much moved again at most."""

    def __init__(self, name):
        self.name = name
        self.missed = self.failures = self.again_most = 0
        self.kills = [0] * PARTS

    def killed(self):
        return sum(self.kills)

    def note_kill(self, moment):
        self.kills[int(moment * PARTS)] += 1

    def note_again(self, moment, moved, extra):
        self.again_most = max(self.again_most, moved)
        if moved > CHUNK_MAX + RECORD_HEADER + extra:
            self.fail(moment, f"{moved} bytes moved again")

    def fail(self, moment, what):
        self.failures += 1
        print(f"  FAILED {self.name} at {moment:.3f} of its progress: {what}", flush=True)

    def run(self, count, kill_at):
        """Has `kill_at` kill at so many moments; its second argument counts the turns."""
        turn = 0
        # A command that ends before its moment is seen was not killed: a moment near it is taken instead.
        while self.killed() < count and turn < count * TURNS_MAX:
            kill_at((turn % count + (0.5 + 0.37 * (turn // count)) % 1.0) / count, turn)
            turn += 1
        print(f"{self.name:16} {self.killed():5}  " + " ".join(f"{kills:3}" for kills in self.kills) +
              f" {self.missed:7} {self.failures:7} {self.again_most:20}", flush=True)


def print_head():
    print(f"{'phase':16} {'kills':>5}  in each tenth of its progress" + " " * 10 +
          f"{'missed':>7} {'failed':>7} {'moved again at most':>20}", flush=True)


def finish(phases, wanted):
    """`wanted`: kills of each phase."""
    failures = sum(phase.failures for phase in phases)
    print(f"summary: {sum(phase.killed() for phase in phases)} kills, {failures} failures")
    if failures or any(phase.killed() < count for phase, count in zip(phases, wanted)):
        sys.exit(1)
