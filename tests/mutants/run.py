#!/usr/bin/env python3
"""Plants each bug of tests/mutants/*.mutant in a copy of the tree and demands that its test notices.

A mutant is a text file of five fields, each on one line:

    promise: durability          which promise of docs/architecture.md the bug would break
    file:    engine/x/y.cpp      where it is planted
    find:    exact text          part of one line; must occur exactly once in the file
    replace: other text          what stands there instead; may be empty
    test:    x_tests Pack.*      the program and the gtest filter that must fail then

A mutant that does not compile, or whose test fails or is not found without it, is a mistake in the mutant.
"""

import argparse
import filecmp
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "mutants"
TREE = WORK / "tree"
BUILD = WORK / "build"
FIELDS = ("promise", "file", "find", "replace", "test")
PROMISES = ("integrity", "durability", "convergence", "exactly once", "authority", "bounds", "progress", "candour")
TEST_SECONDS_MAX = 300  # a test that a bug keeps from ending has noticed it


class Broken(Exception):
    """The mutant itself is wrong."""


def parse(path):
    fields = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, colon, value = line.partition(":")
        if not colon or name not in FIELDS or name in fields:
            raise Broken(f"line is no field, or comes twice: {line!r}")
        # Only the layout's spaces go: what is found or replaced may begin or end with spaces of its own
        # when it is written behind exactly one.
        fields[name] = value[1:] if name in ("find", "replace") and value[:1] == " " else value.strip()
    for name in FIELDS:
        if name not in fields:
            raise Broken(f"field '{name}' is missing")
    if fields["promise"] not in PROMISES:
        raise Broken(f"promise is none of {', '.join(PROMISES)}")
    if not fields["find"] or fields["find"] == fields["replace"]:
        raise Broken("nothing is changed")
    if len(fields["test"].split()) != 2:
        raise Broken("test is not a program and a filter")
    return fields


def source_files():
    try:
        listed = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "-co", "--exclude-standard"],
                                cwd=ROOT, check=True, capture_output=True).stdout
        names = [name for name in listed.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()]
    return [name for name in names
            if not name.startswith(("build/", ".git/")) and (ROOT / name).is_file()]


def copy_tree():
    """Brings the copy up to date; files that did not change keep their time, so that nothing is built again."""
    names = set(source_files())
    for name in names:
        source, target = ROOT / name, TREE / name
        if target.is_file() and filecmp.cmp(source, target, shallow=False):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        shutil.copymode(source, target)
    for path in [path for path in TREE.rglob("*") if path.is_file()]:
        if str(path.relative_to(TREE)) not in names:
            path.unlink()


def configure():
    # -w: a bug may leave a variable unused, and that is not what must be noticed.
    subprocess.run(["cmake", "-S", TREE, "-B", BUILD, "-G", "Ninja", "--log-level=NOTICE", "-DCMAKE_BUILD_TYPE=Debug",
                    "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g0", "-DCMAKE_CXX_FLAGS=-w"], check=True)


def build(program, jobs):
    done = subprocess.run(["ninja", "-C", BUILD, f"-j{jobs}", program], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Broken("does not build:\n" + done.stdout[-2000:])


def run_test(program, test_filter):
    """Returns 'passed', 'failed', 'hung' or 'none' (no test has that name)."""
    environment = {**os.environ, "RC_PARAMS": "seed=1 max_success=100", "LC_ALL": "C.UTF-8"}
    environment.pop("SATCHEL_SITE", None)
    environment.pop("SATCHEL_SOAK", None)
    try:
        done = subprocess.run([BUILD / "tests" / program, f"--gtest_filter={test_filter}", "--gtest_color=no"],
                              capture_output=True, env=environment, cwd=WORK, timeout=TEST_SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired:
        return "hung"
    if b"[ RUN      ]" not in done.stdout:
        return "none"
    return "passed" if done.returncode == 0 else "failed"


def try_mutant(fields, jobs, sound):
    program, test_filter = fields["test"].split()
    path = TREE / fields["file"]
    if not path.is_file():
        raise Broken(f"there is no {fields['file']}")
    original = path.read_bytes()
    found = original.count(fields["find"].encode())
    if found != 1:
        raise Broken(f"the text to find occurs {found} times")

    if (program, test_filter) not in sound:
        build(program, jobs)
        outcome = run_test(program, test_filter)
        if outcome != "passed":
            raise Broken(f"without the bug the test is not passed but {outcome}")
        sound.add((program, test_filter))
    try:
        path.write_bytes(original.replace(fields["find"].encode(), fields["replace"].encode()))
        build(program, jobs)
        return run_test(program, test_filter)
    finally:
        path.write_bytes(original)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("name", nargs="?", help="only this mutant")
    options.add_argument("--jobs", type=int, default=os.cpu_count())
    options = options.parse_args()

    paths = sorted((ROOT / "tests" / "mutants").glob("*.mutant"))
    if options.name:
        paths = [path for path in paths if path.stem == options.name]
    if not paths:
        sys.exit(f"mutants: there is none named '{options.name or '*'}' in tests/mutants")

    WORK.mkdir(parents=True, exist_ok=True)
    copy_tree()
    configure()
    rows, promises, missed, sound = [], set(), 0, set()
    for path in paths:
        begun = time.monotonic()
        promise, test = "?", "?"
        try:
            fields = parse(path)
            promise, test = fields["promise"], fields["test"]
            promises.add(promise)
            outcome = try_mutant(fields, options.jobs, sound)
            noticed = outcome in ("failed", "hung")
            result = {"failed": "noticed", "hung": "noticed (hung)"}.get(outcome, "MISSED")
        except Broken as broken:
            noticed, result = False, "BROKEN"
            print(f"{path.name}: {broken}", file=sys.stderr)
        missed += not noticed
        rows.append((path.stem, promise, result, f"{time.monotonic() - begun:.0f}", test))
        print(f"{result}: {path.stem}", flush=True)

    print()
    rows.insert(0, ("MUTANT", "PROMISE", "RESULT", "SECONDS", "TEST"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)) + "  " + row[4])
    lacking = [promise for promise in PROMISES if promise not in promises]
    if not options.name and lacking:
        print(f"\npromises without a mutant: {', '.join(lacking)}")
    print(f"\n{len(paths) - missed} of {len(paths)} bugs noticed")
    sys.exit(1 if missed or (lacking and not options.name) else 0)


if __name__ == "__main__":
    main()
