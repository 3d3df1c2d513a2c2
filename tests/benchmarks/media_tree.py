"""A library of films and documents in three editions e1, e2, e3, the same at each run, for who has none at hand.

Films are a box of type ftyp and bytes of chance, as a film looks to whoever stores it. From edition to edition films
get a new beginning, a change in mid-film or other bytes behind; pages are edited, one course is new, one goes; all else
stays.
"""
import os
import pathlib
import random
import shutil
import struct
import subprocess

from small_texts import Writer

BLOCK = 8_000_000
COURSES = 8
PICTURE_BYTES = 120_000
PAGES, PAGE_BYTES = 40, 8_000
FIRST_MTIME_S = 1_735_689_600


class Library:
    def __init__(self, root, megabytes):
        self.root, self.chance, self.writer = root, random.Random(4), Writer(4)
        self.film_bytes = max(100_000, megabytes * 1_000_000 // COURSES // 2)
        self.pictures = max(2, megabytes // 40)  # in each course
        self.mtime_s = FIRST_MTIME_S

    def put(self, path, blocks):
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            for block in blocks:
                file.write(block)
        self.stamp(path)

    def stamp(self, path):
        self.mtime_s += 1
        os.utime(path, (self.mtime_s, self.mtime_s))

    def noise(self, size):
        while size > 0:
            yield self.chance.randbytes(min(size, BLOCK))
            size -= BLOCK

    def film(self, path, size):
        head = struct.pack(">I4s8s", 16, b"ftyp", b"isomiso2") + struct.pack(">I4sI4s", 8, b"free", size + 8, b"mdat")
        self.put(path, [head, *self.noise(size)])

    def course(self, name):
        base = self.root / name
        for number in (1, 2):
            self.film(base / "视频" / f"lesson-{number}.mp4", self.film_bytes)
        for number in range(self.pictures):
            self.put(base / "pictures" / f"{number:03}.jpg", [b"\xff\xd8\xff\xe0", *self.noise(PICTURE_BYTES)])
        for number in range(PAGES):
            self.put(base / "docs" / f"page-{number:03}.html", [self.writer.page(number, PAGE_BYTES)])
        self.put(base / "docs" / "讲义.txt", [self.writer.chinese_text(200_000)])

    def edit(self, path, place, removed, added):
        """Other bytes at one place of a file, however large it is."""
        new = path.with_name("edited")
        with open(path, "rb") as old, open(new, "wb") as out:
            for left in [*[BLOCK] * (place // BLOCK), place % BLOCK]:
                out.write(old.read(left))
            out.write(added)
            old.seek(removed, os.SEEK_CUR)
            shutil.copyfileobj(old, out, BLOCK)
        os.replace(new, path)
        self.stamp(path)

    def first(self):
        # So that all of it is one course with one edition, as it is one snapshot to the others.
        self.put(self.root / "course.json", [b'{"id": "library", "title": {"en": "Library"}}\n'])
        for number in range(COURSES):
            self.course(f"course-{number:02}")

    def next(self, name):
        """Goes on in a copy: changes in every course, one of them new, and from the second time on one less."""
        later = self.root.parent / name
        subprocess.run(["cp", "-a", "--reflink=auto", self.root, later], check=True)
        self.root = later
        for number, base in enumerate(sorted(path for path in self.root.iterdir() if path.is_dir())):
            film, middle = base / "视频" / "lesson-1.mp4", self.film_bytes // 2
            if number % 4 == 0:
                self.edit(film, 32, 50_000, self.chance.randbytes(70_000))
            elif number % 4 == 1:
                self.edit(film, middle, 0, self.chance.randbytes(3_000))
            elif number % 4 == 2:
                self.edit(film, middle, middle, b"".join(self.noise(middle // 4)))
            for page in self.chance.sample(range(PAGES), 6):
                self.edit(base / "docs" / f"page-{page:03}.html", 400, 30, self.writer.text(90))
        self.course(f"course-{name}")
        if name == "e3":
            shutil.rmtree(self.root / "course-e2")


def make(folder, megabytes):
    """Writes folder/e1, e2 and e3, each of about so many megabytes."""
    library = Library(pathlib.Path(folder) / "e1", megabytes)
    library.first()
    library.next("e2")
    library.next("e3")
