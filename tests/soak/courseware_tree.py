"""A small tree of courseware in three editions, with the list of its changes, for courseware.py."""
import json
import os
import random
import struct
import subprocess

OLD_NS = 1_735_689_600_123_456_789
FILM = "农业/视频/第一课 水稻.mp4"


class Tree:
    def __init__(self, root):
        self.root, self.chance = root, random.Random(20)
        self.changes = []

    def put(self, path, data, mtime_ns=OLD_NS, mode=0o644):
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        place.chmod(mode)
        os.utime(place, ns=(mtime_ns, mtime_ns))

    def get(self, path):
        return (self.root / path).read_bytes()

    def changed(self, kind, paths, new=0, regions=0):
        size = sum((self.root / path).stat().st_size for path in paths)
        number = f"{self.root.name}-{len(self.changes) + 1:02}"
        self.changes.append({"id": number, "kind": kind, "files": len(paths), "bytes": size,
                             "expected_new_bytes": new, "regions": regions, "paths": paths})

    def edit(self, kind, path, data, new, regions):
        self.put(path, data)
        self.changed(kind, [path], new, regions)

    def move(self, kind, old, new):
        place = self.root / new
        place.parent.mkdir(parents=True, exist_ok=True)
        (self.root / old).rename(place)
        moved = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
        self.changed(kind, [str(path.relative_to(self.root)) for path in moved])

    def succeed(self, name):
        """The next edition begins as a copy of this one, times and all."""
        subprocess.run(["cp", "-a", self.root, self.root.parent / name], check=True)
        self.root, self.changes = self.root.parent / name, []

    def write_changes(self, before):
        path = self.root.parent / f"changes-{before}-{self.root.name}.json"
        path.write_text(json.dumps(self.changes, ensure_ascii=False, indent=1))

    def stamp_folders(self):
        for folder, _, _ in os.walk(self.root, topdown=False):
            os.utime(folder, ns=(OLD_NS + 7, OLD_NS + 7))


def hostile(tree):
    """Things that can't be carried, and a link that must not be followed."""
    secret = tree.root.parent / "secret.bin"
    if not secret.exists():
        secret.write_bytes(tree.chance.randbytes(5000))
    folder = tree.root / "hostile"
    (folder / "empty folder").mkdir(parents=True)
    (folder / "outside").symlink_to("../../secret.bin")
    (folder / "loop").symlink_to("loop")
    (folder / "whole-tree").symlink_to("../..")
    os.mkfifo(folder / "fifo")
    for name in (b"new\nline", b"tab\tname", b"not-utf8-\xff\xfe"):
        with open(os.path.join(os.fsencode(folder), name), "wb") as out:
            out.write(name)
    tree.put("hostile/unreadable", b"nobody reads this")
    tree.put("hostile/" + "n" * 255, b"the longest name")


def first(tree):
    film = struct.pack(">I4s8s", 16, b"ftyp", b"isomiso2") + tree.chance.randbytes(9_000_000)
    tree.put(FILM, film)
    tree.put("农业/docs/handout.txt", b"".join(b"line %d of the handout\r\n" % n for n in range(4000)))
    tree.put("农业/docs/shifted.bin", tree.chance.randbytes(700_000))
    tree.put("农业/docs/cut.bin", tree.chance.randbytes(500_000))
    tree.put("library/swap-1.bin", tree.chance.randbytes(150_000))
    tree.put("library/swap-2.bin", tree.chance.randbytes(250_000))
    tree.put("library/touched.bin", tree.chance.randbytes(120_000))
    tree.put("library/A.txt", b"upper case")
    tree.put("library/a.txt", b"lower case")
    tree.put("library/e\u0301.txt", b"decomposed")
    tree.put("library/\u00e9.txt", b"composed")
    tree.put("library/" + "/".join(f"level-{n:02}" for n in range(30)) + "/leaf.txt", b"deep")
    tree.put("library/empty", b"")
    tree.put("library/run.sh", b"#!/bin/sh\n", mode=0o755)
    tree.put("library/program.sh", b"#!/bin/sh\nexit\n", mode=0o755)
    tree.put("library/zeros.img", bytes(2_000_000))
    for number in range(200):
        tree.put(f"tiny/{number % 10}/q-{number:04}.json", b'{"question": %d}\n' % number)
    tree.put("catalog.json", b'{"edition": 1}\n')
    hostile(tree)


def second(tree):
    new = tree.chance.randbytes(90)
    film = tree.get(FILM)
    tree.edit("bytes replaced", FILM, film[:4_000_000] + new + film[4_000_090:], 90, 1)
    shifted = tree.get("农业/docs/shifted.bin")
    tree.edit("insertion", "农业/docs/shifted.bin", shifted[:1000] + new[:77] + shifted[1000:], 77, 1)
    tree.edit("truncated", "农业/docs/cut.bin", tree.get("农业/docs/cut.bin")[:300_000], 0, 0)
    tree.edit("appended", "农业/docs/handout.txt", tree.get("农业/docs/handout.txt") + b"an appendix\r\n", 13, 1)
    one, two = tree.get("library/swap-1.bin"), tree.get("library/swap-2.bin")
    tree.put("library/swap-1.bin", two)
    tree.put("library/swap-2.bin", one)
    tree.changed("names swapped", ["library/swap-1.bin", "library/swap-2.bin"])
    os.utime(tree.root / "library/touched.bin", ns=(OLD_NS + 10**9, OLD_NS + 10**9))
    tree.changed("touched", ["library/touched.bin"])
    tree.move("renamed file", "library/run.sh", "library/start.sh")
    (tree.root / "library/program.sh").chmod(0o644)
    tree.changed("mode", ["library/program.sh"])
    zeros = bytearray(tree.get("library/zeros.img"))
    zeros[900_000:930_000] = tree.chance.randbytes(30_000)
    tree.edit("zero-filled file", "library/zeros.img", bytes(zeros), 30_000, 1)
    tiny = [f"tiny/{number % 10}/q-{number:04}.json" for number in range(0, 200, 20)]
    for path in tiny:
        tree.put(path, tree.get(path) + b"// changed\n")
    tree.changed("tiny files", tiny, 11 * len(tiny), len(tiny))
    tree.put("library/new.bin", tree.chance.randbytes(80_000))
    tree.changed("new file", ["library/new.bin"], 80_000, 1)
    tree.edit("catalog", "catalog.json", b'{"edition": 2}\n', 1, 1)


def third(tree, first_edition):
    tree.edit("reverted", "农业/docs/cut.bin", (first_edition / "农业/docs/cut.bin").read_bytes(), 0, 0)
    # Edited in the edition before, and only moved now.
    tree.move("moved courses", "农业", "archive/农业")
    tree.changes[-1]["paths"] = [path for path in tree.changes[-1]["paths"] if not path.endswith("cut.bin")]
    tree.changes[0]["paths"] = ["archive/农业/docs/cut.bin"]
    tree.move("deep folder renamed", "library/level-00", "library/renamed-00")
    every = sorted(str(path.relative_to(tree.root)) for path in tree.root.glob("tiny/*/*.json"))
    for path in every:
        tree.put(path, tree.get(path).replace(b'{"', b'{"kind": "quiz", "'))
    tree.changed("tiny files", every, 16 * len(every), len(every))
    tree.edit("catalog", "catalog.json", b'{"edition": 3}\n', 1, 1)


def make(folder):
    (folder / "e1").mkdir(parents=True)
    tree = Tree(folder / "e1")
    first(tree)
    tree.stamp_folders()
    tree.succeed("e2")
    second(tree)
    tree.write_changes("e1")
    tree.stamp_folders()
    tree.succeed("e3")
    third(tree, folder / "e1")
    tree.write_changes("e2")
    tree.stamp_folders()
    for name in ("e1", "e2", "e3"):  # last, for who makes the tree need not be root
        (folder / name / "hostile/unreadable").chmod(0)
