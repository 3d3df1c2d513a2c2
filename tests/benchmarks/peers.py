"""The stores that are measured side by side: satchel, restic, borg and casync as Debian has them, and `cp -r`.

Each has one folder for its repository and one for its caches, both new for every run. A step is a list of commands
for measuring.py, or None where a tool has nothing like it.
"""
import json
import os
import pathlib
import shutil
import subprocess

from measuring import Command, Failed, bytes_of


class Peer:
    name = ""
    program = ""
    checks_hashes = True

    def __init__(self, scratch):
        self.repository, self.caches = scratch / "repository", scratch / "caches"

    def said_by(self, *arguments):
        done = subprocess.run(list(map(str, arguments)), capture_output=True, check=False,
                              env={**os.environ, **self.environment()})
        if done.returncode != 0:
            raise Failed(f"{arguments}: exit {done.returncode}\n{done.stderr.decode(errors='replace')[-1500:]}")
        return done.stdout.decode(errors="replace")

    def version(self):
        return (self.said_by(self.program, "--version").splitlines() or ["unknown"])[0]

    def environment(self):
        return {}

    def command(self, *arguments, folder=None, allowed=(0,)):
        return Command([self.program, *arguments], folder, self.environment(), allowed)

    def fresh(self):
        self.remove()
        for folder in (self.repository, self.caches):
            folder.mkdir(parents=True)
        self.found()

    def remove(self):
        for folder in (self.repository, self.caches):
            shutil.rmtree(folder, ignore_errors=True)

    def found(self):
        pass

    def ingest(self, tree, edition):
        return None

    def restore(self, edition, out):
        return None

    def verify(self):
        return None

    def drop(self, edition):
        return None

    def stored_bytes(self):
        return bytes_of(self.repository)


class Restic(Peer):
    name, program = "restic", "restic"

    def environment(self):
        return {"RESTIC_PASSWORD": "benchmark", "RESTIC_REPOSITORY": str(self.repository),
                "RESTIC_CACHE_DIR": str(self.caches)}

    def version(self):
        return self.said_by("restic", "version").splitlines()[0]

    def found(self):
        self.said_by("restic", "init", "--repository-version", "2")

    def ingest(self, tree, edition):
        return [self.command("backup", "--quiet", "--tag", edition, ".", folder=tree)]

    def snapshot_of(self, edition):
        return json.loads(self.said_by("restic", "snapshots", "--json", "--tag", edition))[-1]["id"]

    def restore(self, edition, out):
        return [self.command("restore", "--quiet", "--target", out, self.snapshot_of(edition))]

    def verify(self):
        return [self.command("check", "--quiet", "--read-data")]

    def drop(self, edition):
        return [self.command("forget", "--quiet", "--prune", self.snapshot_of(edition))]


class Borg(Peer):
    name, program = "borg", "borg"
    compression = ()

    def environment(self):
        return {"BORG_BASE_DIR": str(self.caches), "BORG_CACHE_DIR": str(self.caches / "cache"),
                "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes", "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes"}

    def found(self):
        self.said_by("borg", "init", "-e", "none", self.repository)

    def ingest(self, tree, edition):
        return [self.command("create", *self.compression, f"{self.repository}::{edition}", ".", folder=tree)]

    def restore(self, edition, out):
        return [self.command("extract", f"{self.repository}::{edition}", folder=out)]

    def verify(self):
        return [self.command("check", "--verify-data", self.repository)]

    def drop(self, edition):
        return [self.command("delete", f"{self.repository}::{edition}"), self.command("compact", self.repository)]


class BorgZstd(Borg):
    name, compression = "borg zstd,3", ("-C", "zstd,3")


class Casync(Peer):
    name, program = "casync", "casync"

    def version(self):
        return self.said_by("casync", "--version").splitlines()[0]

    def index_of(self, edition):
        return self.repository / f"{edition}.caidx"

    def store(self):
        return f"--store={self.repository / 'default.castr'}"

    def environment(self):
        return {"XDG_CACHE_HOME": str(self.caches), "TMPDIR": str(self.caches)}

    def ingest(self, tree, edition):
        return [self.command("make", self.store(), self.index_of(edition), tree)]

    def restore(self, edition, out):
        return [self.command("extract", self.store(), self.index_of(edition), out)]

    def drop(self, edition):
        kept = [path for path in sorted(self.repository.glob("*.caidx")) if path != self.index_of(edition)]
        return [Command(["rm", self.index_of(edition)]), self.command("gc", self.store(), *kept)]


class Copy(Peer):
    """Not a store: what the machine can do at most when all bytes are only copied."""
    name, program, checks_hashes = "cp -r", "cp", False

    def ingest(self, tree, edition):
        self.tree = tree
        return None

    def restore(self, edition, out):
        return [self.command("-r", f"{self.tree}/.", out)]


class Satchel(Peer):
    name = "satchel"

    def __init__(self, scratch):
        super().__init__(scratch)
        self.program = os.environ["SATCHEL"]
        self.site = self.repository / "site"
        self.published = self.caches / "published.json"

    def ask(self, *arguments):
        return json.loads(self.said_by(self.program, "--json", "--site", self.site, *arguments).splitlines()[-1])

    def knows(self, *words):
        """Whether it has such a command: `store` alone answers for one that it does not know."""
        done = subprocess.run([self.program, *words, "--help"], capture_output=True, check=False)
        return done.returncode == 0 and f"satchel {' '.join(words)}".encode() in done.stdout

    def found(self):
        self.said_by(self.program, "init", self.site, "--network", "Benchmark county")

    def site_command(self, *arguments, allowed=(0,)):
        return self.command("--quiet", "--site", self.site, *arguments, allowed=allowed)

    def ingest(self, tree, edition):
        # 3: names that can't be carried were left out.
        return [self.site_command("publish", tree, allowed=(0, 3))]

    def courses(self):
        """The number of each course's current edition."""
        lines = self.said_by(self.program, "--json", "--site", self.site, "catalogue", "list").splitlines()
        items = [json.loads(line) for line in lines]
        return {item["course"]: item["edition"] for item in items if "course" in item}

    def restore(self, edition, out):
        return [self.site_command("checkout", course, pathlib.Path(out) / course, allowed=(0, 3))
                for course in self.courses()]

    def verify(self):
        return [self.site_command("store", "verify")]

    def drop(self, edition):
        if not (self.knows("store", "drop") and self.knows("store", "collect")):
            return None
        number = int(edition.lstrip("e"))
        changed = [course for course, current in self.courses().items() if current > number]
        if not changed:
            return [self.site_command("store", "collect")]
        return [self.site_command("store", "drop", *changed, "--edition", number)]

    def parity_bytes(self):
        """Parity lies in files of its own, or the store tells how many bytes of its packs are parity."""
        told = self.ask("store", "stats").get("parity_bytes", 0)
        files = sum(path.stat().st_size for path in self.site.rglob("*") if path.is_file() and "parity" in path.name)
        return max(told, files)

    def cache_bytes(self):
        """What may be removed at any time (schemas/site-folder.md); the others' caches lie outside, uncounted too."""
        return sum(bytes_of(self.site / name) for name in ("seen", "small-files.list") if (self.site / name).exists())

    def stored_bytes(self):
        return bytes_of(self.repository) - self.parity_bytes() - self.cache_bytes()

    def parts(self):
        """Where the bytes of the site's folder lie, and what of its packs is not content."""
        stats = self.ask("store", "stats")
        parts = {path.name: bytes_of(path) for path in sorted(self.site.iterdir()) if not path.is_socket()}
        return {"parts": parts, "content": stats["stored_bytes"], "plain": stats["plain_bytes"],
                "chunks": stats["chunks"], "packs": stats["packs"], "pack_bytes": stats["pack_bytes"],
                "parity": self.parity_bytes()}


def all_peers(scratch):
    return [kind(scratch) for kind in (Satchel, Restic, Borg, BorgZstd, Casync)]
