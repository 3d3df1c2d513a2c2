#!/usr/bin/env python3
"""kill -9 at moments spread evenly over the progress of a collection and of the mending of a damaged pack.

As kill.py: half of the moments are spread over the bytes that are written, half over the calls. After each kill what
is published is there and whole, the same command finishes, and the packs end as they do when nobody stops it: a
collection leaves no more than that, and a mended pack is byte for byte as it was sealed.

Use: SATCHEL=path/to/satchel kill_store.py [--count 200] [--megabytes 160]
"""
import hashlib
import random
import shutil

import kill
from killing import EARLIER, make_courseware, satchel, summary

BURST = 512 * 1024


def digest_of(path):
    return hashlib.blake2b(path.read_bytes()).hexdigest()


class Collect(kill.Command):
    def check_result(self, place, moment):
        for course in ("alpha", "beta"):
            why = summary(satchel("--site", place / "hub", "why", course))
            if why["state"] != "complete":
                self.fail(moment, f"{course} is {why['state']}")
        left = summary(satchel("--site", place / "hub", "store", "collect", "--dry-run"))
        if left["freeable_bytes"] > self.freeable:
            self.fail(moment, f"{left['freeable_bytes']} bytes could still be freed, {self.freeable} without a stop")

    def measure(self, scratch):
        super().measure(scratch)
        self.freeable = summary(satchel("--site", scratch / "run" / "hub", "store", "collect",
                                        "--dry-run"))["freeable_bytes"]


class Mend(kill.Command):
    """Each turn another burst, in a sealed pack of which the base holds a whole copy."""

    def __init__(self, name, base, arguments, pack):
        super().__init__(name, base, arguments, ["hub/packs"], "hub", 0)
        self.pack, self.whole_digest = pack, digest_of(base / pack)
        self.chance = random.Random(5)

    def fresh(self, scratch):
        place = super().fresh(scratch)
        size = (place / self.pack).stat().st_size
        with open(place / self.pack, "r+b") as pack:
            pack.seek(self.chance.randrange(size - BURST))
            pack.write(self.chance.randbytes(BURST))
        return place

    def is_sound(self, place, moment):
        # The earlier course may lie in the damaged pack: it is whole again once that is mended.
        satchel("--site", place / "hub", "store", "verify", check=False)
        return super().is_sound(place, moment)

    def check_result(self, place, moment):
        if digest_of(place / self.pack) != self.whole_digest:
            self.fail(moment, "the mended pack is not as it was sealed")


def prepare(root, megabytes):
    base = root / "base"
    base.mkdir()
    (base / "before" / "earlier").mkdir(parents=True)
    (base / "before" / "earlier" / "page.txt").write_text(EARLIER)
    satchel("init", base / "hub", "--network", "Kill county")
    satchel("--site", base / "hub", "publish", base / "before")
    make_courseware(base / "courseware", megabytes)
    satchel("--site", base / "hub", "publish", base / "courseware")
    film = base / "courseware" / "alpha" / "film.mp4"
    film.write_bytes(film.read_bytes()[:16] + random.Random(8).randbytes(film.stat().st_size - 16))
    satchel("--site", base / "hub", "publish", base / "courseware")
    shutil.rmtree(base / "courseware")
    satchel("--site", base / "hub", "store", "drop", "alpha", "--edition", "1")
    sealed = max((base / "hub" / "packs").glob("*.pack"), key=lambda pack: pack.stat().st_size)
    mend = lambda place: ("--site", place / "hub", "store", "verify", "--fast")
    collect = lambda place: ("--site", place / "hub", "store", "collect")
    return [Collect("collect", base, collect, ["hub/packs"], "hub", kill.PACK_EXTRA),
            Mend("mend", base, mend, sealed.relative_to(base))]


if __name__ == "__main__":
    kill.main(__doc__, prepare, 160)
