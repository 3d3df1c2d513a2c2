#!/usr/bin/env python3
"""Many small text files, the same at each run: web pages, plain text, Chinese text, JSON, of 200 B to 20 KB.

Words come with the frequencies of a language (the r-th is met 1/r times as often as the first), so that a compressor
finds about what it finds in real text; no two files share more than the frame of a page. A word costs one look into
a table of 65,536 places, in which each word stands as often as it is met: that is what makes 117,000 files in half a
minute.

Use: small_texts.py FOLDER [--files 117000] [--seed 1]
"""
import argparse
import array
import itertools
import os
import pathlib
import random

PLACES = 65_536
WORDS = 12_000
FILES_IN_FOLDER = 180
FOLDERS_IN_PART = 200
SMALLEST, LARGEST = 200, 20_000
SKEW = 1.5  # 1: as many files between 200 and 400 B as between 10 and 20 KB; above: more of the small ones
FIRST_MTIME_S = 1_735_689_600
SYLLABLES = ("ba be bi bo ca ce co da de di do en er es fa fe fi ga ge go ha he hi in is la le li lo ma me mi mo na ne "
             "ni no on or pa pe pi po ra re ri ro sa se si so ta te ti to un va ve vi wa we wi").split()
ENDS = ("", "", "", "s", "ed", "ing", "er", "ly", "tion", "al")


def spread(words, chance):
    """The table of places: the r-th word has about 1/r of the first one's, and sometimes a mark behind it."""
    weights = [1 / (rank + 2.7) for rank in range(len(words))]
    bounds = [int(PLACES * part / sum(weights)) for part in itertools.accumulate(weights)]
    table, begin = [], 0
    for word, end in zip(words, bounds):
        table += [word + chance.choices((b"", b",", b".", b".\n"), (86, 7, 5, 2))[0] for _ in range(begin, end)]
        begin = end
    return table + [words[0]] * (PLACES - len(table))


def by_length(words, blur, chance):
    """Frequent words are short ones, more or less."""
    return [word.encode() for word in sorted(sorted(words), key=lambda word: len(word) + chance.random() * blur)]


def latin_words(chance):
    words = {"a", "the", "of", "to", "and", "in", "is", "that", "water", "rice", "field", "village", "lesson", "pupil"}
    while len(words) < WORDS:
        words.add("".join(chance.choices(SYLLABLES, k=chance.choice((1, 2, 2, 2, 3, 3)))) + chance.choice(ENDS))
    return by_length(words, 5, chance)


def chinese_words(chance):
    signs = [chr(code) for code in chance.sample(range(0x4E00, 0x9000), 3000)]
    ranks = [1 / (rank + 5) for rank in range(len(signs))]
    bounds = list(itertools.accumulate(ranks))
    words = {"".join(chance.choices(signs, cum_weights=bounds, k=chance.choice((1, 2, 2, 2, 3))))
             for _ in range(2 * WORDS)}
    return by_length(words, 2, chance)[:WORDS]


class Writer:
    """`text(size)`: about so many bytes of running text."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.latin = spread(latin_words(self.chance), self.chance)
        self.chinese = [word.replace(b",", "，".encode()).replace(b".", "。".encode())
                        for word in spread(chinese_words(self.chance), self.chance)]

    def words(self, table, count):
        places = array.array("H", self.chance.randbytes(2 * count))
        return map(table.__getitem__, places)

    def text(self, size):
        return b" ".join(self.words(self.latin, size // 4 + 4))[:size]

    def chinese_text(self, size):
        return b"".join(self.words(self.chinese, size // 3 + 4))[:size].decode(errors="ignore").encode()

    def page(self, number, size):
        parts = [b"<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Page %d</title>"
                 b"<link rel=\"stylesheet\" href=\"../style.css\"></head>\n<body>\n" % number]
        for begin in range(0, size, 640):
            text = self.text(min(600, max(40, size - begin - 200)))
            parts += [b"<h2>", self.text(30), b"</h2>\n<p class=\"lesson\">", text, b"</p>\n"]
        return b"".join(parts) + b"</body>\n</html>\n"

    def questions(self, number, size):
        lines = [b"{\"unit\": %d, \"questions\": [" % number]
        for question in range(max(1, size // 260)):
            text = self.text(190).replace(b"\n", b"")
            lines.append(b"  {\"id\": %d, \"points\": %d, \"text\": \"%s\", \"answer\": \"%s\"}," %
                         (question, self.chance.randrange(5), text, self.text(12).replace(b"\n", b"")))
        return b"\n".join(lines)[:-1] + b"\n]}\n"

    def one(self, number):
        """Name and bytes of a file."""
        size = int(SMALLEST * (LARGEST / SMALLEST) ** (self.chance.random() ** SKEW))
        kind = self.chance.choices(("page", "text", "chinese", "questions"), (40, 20, 20, 20))[0]
        name, data = {"page": lambda: (f"page-{number:06}.html", self.page(number, size)),
                      "text": lambda: (f"text-{number:06}.txt", self.text(size)),
                      "chinese": lambda: (f"课文-{number:06}.txt", self.chinese_text(size)),
                      "questions": lambda: (f"questions-{number:06}.json", self.questions(number, size))}[kind]()
        return name, data


def make(folder, files, seed=1):
    """Writes the files; returns how many bytes they hold. Times are fixed, and grow by a second from file to file."""
    writer, total = Writer(seed), 0
    os.makedirs(folder)
    with open(os.path.join(folder, "course.json"), "wb") as file:  # all of it is one course
        file.write(b'{"id": "texts", "title": {"en": "Texts"}}\n')
    for number in range(files):
        group = number // FILES_IN_FOLDER
        place = os.path.join(folder, f"part-{group // FOLDERS_IN_PART}", f"unit-{group:04}")
        if number % FILES_IN_FOLDER == 0:
            os.makedirs(place)
        name, data = writer.one(number)
        path = os.path.join(place, name)
        with open(path, "wb", buffering=0) as file:
            file.write(data)
        os.utime(path, (FIRST_MTIME_S + number, FIRST_MTIME_S + number))
        total += len(data)
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--files", type=int, default=117_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"{options.files} files, {make(options.folder, options.files, options.seed)} bytes")


if __name__ == "__main__":
    main()
