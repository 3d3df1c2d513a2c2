# Sourced by the scripts beside it: run the program, say what it must answer, and make a small network.
# Each script runs in an empty folder and stops at the first thing that is not as it says.
set -euo pipefail

satchel=${SATCHEL:?set SATCHEL to the satchel program}
unset SATCHEL_SITE

fail() {
    echo "FAILED: $*" >&2
    if [[ -f out ]]; then head -c 2000 out err >&2; fi
    exit 1
}

step() { printf '== %s\n' "$*"; }

# ends_with CODE COMMAND...: standard output goes to the file out, standard error to the file err. The command itself
# may still read what the one before it left there.
ends_with() {
    local want=$1 got=0
    shift
    "$@" >out.new 2>err.new || got=$?
    mv out.new out
    mv err.new err
    if [[ $got != "$want" ]]; then fail "exit code $got instead of $want: $*"; fi
}

does() { ends_with 0 "$satchel" "$@"; }
refuses() { # CODE ARGUMENT...
    local want=$1
    shift
    ends_with "$want" "$satchel" "$@"
}

# What the last command said, on either stream, must hold each of these.
says() {
    local words
    for words in "$@"; do
        if ! grep -qF -- "$words" out err; then fail "nothing says: $words"; fi
    done
}

# A field of the last command's last line of JSON; of an error when there is no output.
field() {
    python3 -c '
import json, sys
lines = [line for name in ("out", "err") for line in open(name, encoding="utf-8") if line.startswith("{")]
value = json.loads(lines[-1])
for key in sys.argv[1].split("."):
    value = value[int(key)] if isinstance(value, list) else value[key]
print(value)' "$1"
}

# change_byte FILE PLACE: all bits of one byte; a negative place counts from the end.
change_byte() {
    python3 -c '
import os, sys
with open(sys.argv[1], "r+b") as file:
    place = int(sys.argv[2])
    file.seek(place, os.SEEK_END if place < 0 else os.SEEK_SET)
    byte = file.read(1)[0]
    file.seek(-1, os.SEEK_CUR)
    file.write(bytes([byte ^ 0xff]))' "$1" "$2"
}

# A hub, and villages that have joined it.
make_network() { # VILLAGE...
    local village
    does init hub --network 'Yushan county'
    for village in "$@"; do
        does join-request "$village" --site-name "$village"
        cp out "$village.request"
        does --site hub enrol "$village.request"
        cp out "$village.grant"
        does join "$village" "$village.grant"
    done
}

# Two courses: maths with a film of 700 KB and two pages, songs with one page of 200 KB.
make_courseware() {
    mkdir -p courseware/maths/第一课 courseware/songs
    echo '{"id": "maths", "title": {"en": "Maths 5", "zh": "五年级数学"}, "theme": "maths"}' >courseware/maths/course.json
    python3 - <<'PYTHON'
import random
chance = random.Random(5)
open("courseware/maths/film.mp4", "wb").write(chance.randbytes(700_000))
open("courseware/songs/song.bin", "wb").write(chance.randbytes(200_000))
PYTHON
    echo '<h1>1/2 + 1/4 = 3/4</h1>' >'courseware/maths/第一课/fractions.html'
    echo 'What is a half?' >courseware/maths/questions.txt
}
