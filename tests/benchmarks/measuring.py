"""One command measured: seconds, CPU-seconds of it and of all it started, the most memory; and sizes of folders."""
import dataclasses
import os
import pathlib
import statistics
import subprocess
import time

GNU_TIME = "/usr/bin/time"
BLOCK = 1 << 20


class Failed(Exception):
    pass


@dataclasses.dataclass
class Command:
    arguments: list
    folder: object = None  # where it runs
    environment: dict = dataclasses.field(default_factory=dict)
    allowed: tuple = (0,)
    output: object = None  # a file, or None: nobody reads it


@dataclasses.dataclass
class Figures:
    wall_s: float = 0.0
    cpu_s: float = 0.0
    memory_mib: float = 0.0

    def and_then(self, other):
        return Figures(self.wall_s + other.wall_s, self.cpu_s + other.cpu_s, max(self.memory_mib, other.memory_mib))


def measure(commands, scratch, is_after_others=True):
    """Runs one command after the other; their seconds add up, of their memory the most counts. What others left to
    be written is not on their account, unless it is what is measured."""
    if is_after_others:
        os.sync()
    whole = Figures()
    for command in commands:
        whole = whole.and_then(measure_one(command, scratch))
    return whole


def measure_one(command, scratch):
    # What wait4 says of memory counts this interpreter's at the fork; GNU time is small and forks once more.
    told, errors = scratch / "memory", scratch / "errors"
    arguments = [GNU_TIME, "-q", "-f", "%M", "-o", str(told), *map(str, command.arguments)]
    with open(errors, "wb") as error_file, open(command.output or os.devnull, "wb") as output:
        begun = time.monotonic()
        process = subprocess.Popen(arguments, cwd=command.folder, env={**os.environ, **command.environment},
                                   stdin=subprocess.DEVNULL, stdout=output, stderr=error_file)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in command.allowed:
        said = errors.read_bytes()[-1500:].decode(errors="replace")
        raise Failed(f"{' '.join(map(str, command.arguments))}: exit {process.returncode}\n{said}")
    return Figures(wall_s, usage.ru_utime + usage.ru_stime, int(told.read_text().split()[-1]) / 1024)


def first_byte_s(arguments):
    """Seconds until the command has said its first byte; what it would say after that is not waited for."""
    begun = time.monotonic()
    with subprocess.Popen(list(map(str, arguments)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        byte = process.stdout.read(1)
        seconds = time.monotonic() - begun
        process.kill()
    if not byte:
        raise Failed(f"{' '.join(map(str, arguments))}: said nothing")
    return seconds


def files_of(folder):
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def warm(folder):
    """Reads all of it, so that it lies in the page cache for whoever comes next; [] is nothing."""
    block = bytearray(BLOCK)
    for path in files_of(folder) if folder else []:
        with open(path, "rb", buffering=0) as file:
            while file.readinto(block):
                pass


def bytes_of(path):
    """As `du --apparent-size` tells it, but folders count nothing."""
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(map(os.path.getsize, files_of(path)))


def median(values):
    return statistics.median(values)


def machine():
    lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.split(": ", 1)[1] for line in lines if line.startswith("model name")]
    memory_kib = int(pathlib.Path("/proc/meminfo").read_text(encoding="utf-8").split()[1])
    return {"processors": os.cpu_count(), "model": models[0] if models else "unknown",
            "memory_gib": round(memory_kib / (1 << 20), 1), "kernel": os.uname().release,
            "load_at_begin": os.getloadavg()[0]}
