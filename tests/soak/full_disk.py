#!/usr/bin/env python3
"""A disk that is really full: publish, stick read, sync and checkout run out of room at many places, on a file system
of limited size.

For each amount of room that is left: the command ends with 14 and says that the disk is full (or it finds its room
and ends with 0); the store and the catalogue are whole; what was acknowledged before is there; a viewing can still
be recorded (it may be refused, and is not counted then, only where others left less than 1 MiB); when there is room,
the same command finishes, also in an owner that met the full disk, and every viewing that was acknowledged is listed.

It mounts a tmpfs in a mount namespace of its own (as root, or where users may have namespaces).
Use: SATCHEL=path/to/satchel full_disk.py [--places 16] [--megabytes 24]
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from killing import EARLIER, SATCHEL, items, make_courseware, plain, satchel, start, summary

PARTLY, NO_SPACE = 3, 14
LARGE = 512  # MiB: room enough for all
BLOCK = 4096
PATIENCE_TENTHS = 100
KEPT_FREE = 40 << 20  # more than a site leaves free for what is no content
ROOM_FOR_A_RECORD = 1 << 20  # with so much at the beginning, a full disk is no reason to refuse one


def in_own_namespace():
    """Goes on in a mount namespace of its own, so that nothing stays mounted whatever happens."""
    if os.environ.get("SATCHEL_FULL_DISK") == "inside":
        return True
    for flags in (("--mount",), ("--user", "--map-root-user", "--mount")):
        if subprocess.run(["unshare", *flags, "true"], capture_output=True, check=False).returncode == 0:
            os.environ["SATCHEL_FULL_DISK"] = "inside"
            os.execvp("unshare", ["unshare", *flags, sys.executable, *sys.argv])
    return False


class SmallDisk:
    """A tmpfs whose size can be changed while it is in use."""

    def __init__(self, place):
        self.place = place
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={LARGE}m", "tmpfs", place], check=True)

    def room(self):
        info = os.statvfs(self.place)
        return info.f_bavail * info.f_frsize

    def used(self):
        info = os.statvfs(self.place)
        return (info.f_blocks - info.f_bfree) * info.f_frsize

    def leave(self, room):
        size = self.used() + room // BLOCK * BLOCK
        subprocess.run(["mount", "-o", f"remount,size={size}", self.place], check=True)

    def grow(self):
        subprocess.run(["mount", "-o", f"remount,size={LARGE}m", self.place], check=True)

    def clear(self):
        self.grow()
        for path in self.place.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


class Case:
    def __init__(self, name, site, arguments, owned=False):
        self.name, self.site, self.arguments, self.owned = name, site, arguments, owned
        self.turns = self.full = self.done = self.recorded = self.refused = self.failures = 0
        self.said = set()

    def fail(self, room, what):
        self.failures += 1
        print(f"  FAILED {self.name} with {room} bytes of room: {what}", flush=True)


def last_words(done):
    return done.stderr.decode(errors="replace").strip()[-400:]


def lacks_room(done, field):
    """The command did its work but for this, for which there was no room."""
    return any((item.get(field) or {}).get("code") == NO_SPACE for item in items(done))


class FullDisk:
    def __init__(self, root, options):
        self.root, self.base, self.options = root, root / "base", options
        self.disk = SmallDisk(root / "disk")
        self.prepare()

    def prepare(self):
        base = self.base
        (base / "before" / "earlier").mkdir(parents=True)
        (base / "before" / "earlier" / "page.txt").write_text(EARLIER)
        for name in ("stick", "new-stick"):
            (base / name).mkdir()
        satchel("init", base / "hub", "--network", "Full county")
        (base / "request").write_bytes(plain("join-request", base / "village", "--site-name", "village"))
        (base / "grant").write_bytes(plain("--site", base / "hub", "enrol", base / "request"))
        satchel("join", base / "village", base / "grant")
        satchel("--site", base / "hub", "publish", base / "before")
        satchel("--site", base / "hub", "stick", "write", base / "stick")
        satchel("--site", base / "village", "stick", "read", base / "stick")
        make_courseware(base / "courseware", self.options.megabytes)
        shutil.copytree(base / "hub", base / "rich-hub")
        satchel("--site", base / "rich-hub", "publish", base / "courseware")
        satchel("--site", base / "rich-hub", "stick", "write", base / "new-stick")
        shutil.copytree(base / "village", base / "rich-village")
        satchel("--site", base / "rich-village", "stick", "read", base / "new-stick")

    def serve(self, site):
        owner = start(("--site", site, "serve", "--listen", "127.0.0.1:0"), stdout=subprocess.PIPE)
        line = b""
        while b'"address"' not in line:
            line = owner.stdout.readline()
            if not line:
                raise SystemExit("serve said no address")
        address = summary(subprocess.CompletedProcess([], 0, stdout=line))["address"]
        return owner, address

    def cases(self):
        disk = self.disk.place
        yield Case("publish", "hub", lambda: ("--site", disk / "hub", "publish", self.base / "courseware"))
        read = lambda: ("--site", disk / "village", "stick", "read", disk / "stick")
        yield Case("stick read", "village", read)
        yield Case("owned read", "village", read, owned=True)
        yield from self.sync_case()
        yield Case("checkout", "rich-village", lambda: ("--site", disk / "rich-village", "checkout", "alpha",
                                                        disk / "out"))
        if b"store collect" in subprocess.run([SATCHEL, "store", "collect", "--help"], capture_output=True,
                                              check=False).stdout:
            yield Case("collect", "rich-village", lambda: ("--site", disk / "rich-village", "store", "drop", "alpha"))
        else:
            print("collect          skipped: this satchel has no `store collect`")

    def sync_case(self):
        # One hub for all turns would remember the viewings of the turn before, and bring them back.
        self.hub_owner, case = None, Case("sync", "village", None)

        def sync():
            if self.hub_owner is None or self.hub_turn != case.turns:
                self.stop_hub()
                shutil.copytree(self.base / "rich-hub", self.root / "rich-hub")
                self.hub_owner, self.hub_address = self.serve(self.root / "rich-hub")
                self.hub_turn = case.turns
            return "--site", self.disk.place / "village", "sync", self.hub_address

        case.arguments = sync
        yield case
        self.stop_hub()

    def stop_hub(self):
        if self.hub_owner is not None:
            self.hub_owner.terminate()
            self.hub_owner.wait()
        shutil.rmtree(self.root / "rich-hub", ignore_errors=True)

    def fresh(self, case):
        self.disk.clear()
        shutil.copytree(self.base / case.site, self.disk.place / case.site)
        if case.site == "village":
            # The stick lies outside: it must be writable, for the village leaves its answer there.
            shutil.rmtree(self.root / "stick", ignore_errors=True)
            shutil.copytree(self.base / "new-stick", self.root / "stick")
            (self.disk.place / "stick").symlink_to(self.root / "stick")
        if case.name == "collect":
            satchel("--site", self.disk.place / case.site, "subscribe", "remove", "all")
        return self.disk.place / case.site

    def record(self, case, site, room):
        """One viewing; its id if it was acknowledged."""
        done = satchel("--site", site, "record", "viewing", "course=earlier", "headcount=7", "dur=60", check=False)
        if done.returncode == 0:
            case.recorded += 1
            return [item["id"] for item in items(done) if "id" in item][:1] or ["unnamed"]
        if done.returncode != NO_SPACE:
            case.fail(room, f"record ended with {done.returncode}: {last_words(done)}")
        if room >= ROOM_FOR_A_RECORD:
            case.fail(room, "a viewing was refused")
        case.refused += 1
        return []

    def is_sound(self, case, site, room, when):
        sound = True
        for check in (("status",), ("store", "verify"), ("catalogue", "verify"), ("records", "verify")):
            done = satchel("--site", site, *check, check=False)
            if done.returncode != 0:
                sound = case.fail(room, f"{' '.join(check)} {when} ended with {done.returncode}: {last_words(done)}")
        earlier = subprocess.run([SATCHEL, "--site", site, "cat", "earlier", "page.txt"], capture_output=True,
                                 check=False)
        if earlier.stdout.decode() != EARLIER:
            sound = case.fail(room, f"what was acknowledged is missing {when}: {last_words(earlier)}")
        return sound

    def turn(self, case, room):
        case.turns += 1
        site = self.fresh(case)
        owner = self.owner_of(site) if case.owned else None
        try:
            self.judge(case, room, site)
        finally:
            if owner:
                owner.terminate()
                owner.wait()

    def owner_of(self, site):
        owner = start(("--site", site, "serve"))
        for _ in range(PATIENCE_TENTHS):
            if (site / "owner.sock").exists():
                return owner
            time.sleep(0.1)
        raise SystemExit("serve did not come up")

    def judge(self, case, room, site):
        self.disk.leave(room)
        done = satchel(*case.arguments(), check=False)
        if done.returncode == 0:
            case.done += 1
        elif done.returncode == NO_SPACE:
            case.full += 1
            case.said.add(last_words(done).splitlines()[-1])
        elif done.returncode == PARTLY and lacks_room(done, "unanswered"):
            case.full += 1
            case.said.add("the stick was read, and not answered")
        elif done.returncode == PARTLY and lacks_room(done, "hindrance"):
            case.full += 1
            case.said.add("the course was dropped, and nothing given back yet")
        else:
            case.fail(room, f"ended with {done.returncode}: {last_words(done)}")
        kept = self.record(case, site, room)
        self.is_sound(case, site, room, "on the full disk")
        self.disk.grow()
        self.is_sound(case, site, room, "with room again")
        again = satchel(*case.arguments(), check=False)
        if again.returncode != 0:
            case.fail(room, f"with room again it ended with {again.returncode}: {last_words(again)}")
        kept += self.record(case, site, room)
        listed = satchel("--site", site, "records", "list", check=False)
        count = sum(1 for item in items(listed) if "id" in item)
        if count != len(kept):
            case.fail(room, f"{len(kept)} viewings were acknowledged, {count} are listed: {last_words(listed)}")
        self.is_sound(case, site, room, "at the end")

    def run(self):
        cases, whole = [], self.options.megabytes * 1_000_000 + KEPT_FREE
        print(f"{'command':12} {'full':>5} {'done':>5} {'recorded':>9} {'refused':>8} {'failed':>7} {'s':>6}")
        for case in self.cases():
            begun = time.monotonic()
            for place in range(self.options.places):
                # The first few as if others had filled the disk, the rest spread over what is to come.
                early = place < self.options.places // 3
                self.turn(case, place * 128 * 1024 if early else int(whole * (place + 0.5) / self.options.places))
            print(f"{case.name:12} {case.full:5} {case.done:5} {case.recorded:9} {case.refused:8} {case.failures:7} "
                  f"{time.monotonic() - begun:6.1f}", flush=True)
            for words in sorted(case.said)[:4]:
                print(f"    says: {words}")
            cases.append(case)
        return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--places", type=int, default=16)
    parser.add_argument("--megabytes", type=int, default=24)
    options = parser.parse_args()
    if not in_own_namespace():
        print("summary: skipped: mounting a small file system needs root or namespaces for users")
        return
    with tempfile.TemporaryDirectory(prefix="satchel-full.") as folder:
        bench = FullDisk(pathlib.Path(folder), options)
        try:
            cases = bench.run()
        finally:
            subprocess.run(["umount", "--lazy", bench.disk.place], check=False)
    failures = sum(case.failures for case in cases)
    print(f"summary: {sum(case.full for case in cases)} commands met a full disk, "
          f"{sum(case.recorded for case in cases)} viewings were taken, {sum(case.refused for case in cases)} refused, "
          f"{failures} failures")
    sys.exit(1 if failures or not sum(case.full for case in cases) else 0)


if __name__ == "__main__":
    main()
