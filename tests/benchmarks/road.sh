#!/usr/bin/env bash
# How fast a lesson's road is on this machine: publish, stick, checkout, over data made here.
# Everything is in the page cache, so this measures the program and not the disk; each line is one run.
# Use: SATCHEL=path/to/satchel tests/benchmarks/road.sh [MEGABYTES]   (run by ./dev bench)
set -euo pipefail
exec python3 - "${1:-256}" <<'PYTHON'
import os, pathlib, random, subprocess, sys, tempfile, time

satchel, megabytes = os.environ["SATCHEL"], int(sys.argv[1])

def make(folder):
    """Half films, a quarter pictures, a quarter text that compresses."""
    chance, size = random.Random(11), megabytes * 1_000_000
    words = [bytes(chance.choices(b"abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(4000)]
    for number in range(4):
        course = folder / f"course-{number}"
        (course / "pictures").mkdir(parents=True)
        (course / "film.mp4").write_bytes(b"\0\0\0\x10ftypisomiso2" + chance.randbytes(size // 8))
        for picture in range(size // 16 // 200_000):
            (course / "pictures" / f"{picture:04}.jpg").write_bytes(chance.randbytes(200_000))
        for page in range(size // 16 // 30_000):
            (course / f"page-{page:04}.html").write_bytes(b" ".join(chance.choices(words, k=4600)))
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

def memory_of(pid):
    """The most memory that the process has held so far, in MiB: what getrusage says is the parent's at its birth."""
    try:
        lines = open(f"/proc/{pid}/status").read().splitlines()
    except OSError:
        return 0.0
    return max([int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")], default=0.0)

def timed(name, size, *arguments):
    begun = time.monotonic()
    process = subprocess.Popen([satchel, "--quiet", *map(str, arguments)], stdout=subprocess.DEVNULL)
    memory = 0.0
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        memory = max(memory, memory_of(process.pid))
        time.sleep(0.002)
    seconds = time.monotonic() - begun
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{name} failed")
    rate = f"{size / seconds / 1e6:9.1f} MB/s" if size else " " * 14
    cpu = usage.ru_utime + usage.ru_stime
    print(f"{name:34} {seconds:8.2f} s {rate} {cpu:8.2f} s of CPU {memory:6.1f} MiB of memory")

def quiet(*arguments):
    return subprocess.run([satchel, "--quiet", *map(str, arguments)], check=True, capture_output=True).stdout

with tempfile.TemporaryDirectory(prefix="satchel-bench.") as scratch:
    root = pathlib.Path(scratch)
    size = make(root / "courseware")
    model = [line.split(": ")[1] for line in open("/proc/cpuinfo").read().splitlines() if line.startswith("model name")]
    print(f"{size / 1e6:.0f} MB of courseware, {len(model)} x {model[0] if model else 'unknown CPU'}")
    hub, village, stick = root / "hub", root / "village", root / "stick"
    stick.mkdir()
    quiet("init", hub, "--network", "Bench county")
    (root / "request").write_bytes(quiet("join-request", village, "--site-name", "village"))
    (root / "grant").write_bytes(quiet("--site", hub, "enrol", root / "request"))
    quiet("join", village, root / "grant")
    timed("publish, all new", size, "--site", hub, "publish", root / "courseware")
    timed("publish, nothing changed", size, "--site", hub, "publish", root / "courseware")
    timed("stick write, all lacked", size, "--site", hub, "stick", "write", stick)
    timed("stick write, all there", size, "--site", hub, "stick", "write", stick)
    timed("stick read, all new", size, "--site", village, "stick", "read", stick)
    timed("stick read, nothing new", size, "--site", village, "stick", "read", stick)
    timed("checkout of one course of four", size / 4, "--site", village, "checkout", "course-0", root / "out")
    timed("checkout again", size / 4, "--site", village, "checkout", "course-0", root / "out")
    timed("store verify", size, "--site", village, "store", "verify")
    timed("status", 0, "--site", village, "status")
PYTHON
