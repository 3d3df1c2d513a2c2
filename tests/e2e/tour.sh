#!/usr/bin/env bash
# The tour: a hub, two villages and a technician's stick, with real files, in under 90 seconds.
# Use: SATCHEL=path/to/satchel tests/e2e/tour.sh [FOLDER_OF_COURSEWARE] (run by ./dev tour)
set -euo pipefail

satchel=${SATCHEL:?set SATCHEL to the satchel program}
unset SATCHEL_SITE
given=${1:-}
language=${SATCHEL_TOUR_LANG:-en}
here=$(mktemp -d "${TMPDIR:-/tmp}/satchel-tour.XXXXXX")
proxy=$(dirname "${BASH_SOURCE[0]}")/../support/cutting_proxy.py
started=()
stop_all() { for each in "${started[@]}"; do kill "$each" 2>/dev/null || true; done; }
trap stop_all EXIT
stick=$here/stick
mkdir -p "$stick"

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
say() { printf '   %s\n' "$*"; }
die() {
    printf 'the tour stopped: %s\n' "$*" >&2
    exit 1
}
# Shows a command and what it says. It must end with 0, or with 3 where the rest of a folder is named as left out.
run() {
    local got=0
    printf '   $ satchel %s\n' "${*//$here\//}"
    "$satchel" --lang "$language" "$@" 2>&1 | sed 's/^/     /' || got=${PIPESTATUS[0]}
    [[ $got == 0 || ($got == 3 && $3 == publish) ]] || die "exit code $got"
}
# A command whose refusal is the point: it must end with this exit code.
refused() {
    local want=$1 got=0
    shift
    printf '   $ satchel %s\n' "${*//$here\//}"
    "$satchel" --lang "$language" "$@" 2>&1 | sed 's/^/     /' || got=${PIPESTATUS[0]}
    [[ $got == "$want" ]] || die "exit code $got instead of $want"
    say "(exit code $got, as it should be)"
}
bytes_of() { du -sb "$1" | cut -f1; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# About 40 MB of files of many kinds, the same at each run.
make_courseware() {
    python3 - "$1" <<'PYTHON'
import json, os, random, struct, sys, zipfile
root = sys.argv[1]
chance = random.Random(2026)
words = "village lesson water soil rice wheat teacher pupil market road 农村 教育 课程 水稻 果树 养殖 卫生".split()

def put(path, data):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(data)

def box(kind, body):
    return struct.pack(">I4s", 8 + len(body), kind) + body

def film(size):
    return box(b"ftyp", b"isomiso2mp41") + box(b"mdat", chance.randbytes(size)) + box(b"moov", chance.randbytes(40000))

def text(lines):
    return "\n".join(" ".join(chance.choices(words, k=14)) for _ in range(lines)).encode() + b"\n"

courses = [("rice-planting", "水稻种植", "Rice planting"), ("fruit-trees", "果树修剪", "Pruning fruit trees"),
           ("first-aid", "急救常识", "First aid")]
for ident, zh, en in courses:
    about = {"id": ident, "title": {"zh": zh, "en": en}, "theme": "farming", "audience": "villagers", "language": "zh"}
    put(f"{ident}/course.json", json.dumps(about, ensure_ascii=False).encode() + b"\n")
    put(f"{ident}/视频/第一课 {zh}.mp4", film(12_500_000))
    put(f"{ident}/docs/handout.txt", text(1500))
    for page in range(12):
        put(f"{ident}/web/page-{page:02}.html", f"<!doctype html><title>{en}</title><p>".encode() + text(40))
    with zipfile.ZipFile(os.path.join(root, ident, "slides.zip"), "w", zipfile.ZIP_DEFLATED) as pack:
        for slide in range(20):
            pack.writestr(zipfile.ZipInfo(f"slide{slide}.xml", (2026, 1, 1, 0, 0, 0)), text(60))
    put(f"{ident}/pictures/{ident}.jpg", chance.randbytes(600_000))
PYTHON
}

# Small changes for edition 2: a line more in a text, a few bytes in the middle of the largest file.
change_courseware() {
    python3 - "$1" <<'PYTHON'
import os, sys
files = sorted(os.path.join(folder, name) for folder, _, names in os.walk(sys.argv[1]) for name in names)
files = [path for path in files if os.path.isfile(path) and not os.path.islink(path) and os.access(path, os.W_OK)]
texts = [path for path in files if path.endswith((".txt", ".html", ".md", ".srt", ".vtt")) and os.path.getsize(path)]
if texts:
    with open(texts[0], "ab") as out:
        out.write("A line that edition 2 adds. 第二版新增。\n".encode())
largest = max(files, key=os.path.getsize)
with open(largest, "r+b") as film:
    film.seek(os.path.getsize(largest) // 2)
    film.write(b"edition 2 changes these bytes in the middle")
PYTHON
}

# Overwrites the middle of the last chunk on the stick, found by its record's header (schemas/record.md).
damage_stick() {
    python3 - "$1" <<'PYTHON'
import glob, os, struct, sys
for volume in sorted(glob.glob(os.path.join(sys.argv[1], "SATCHEL", "*", "0*.SAT")), key=os.path.getsize, reverse=True):
    data = open(volume, "rb").read()
    place = len(data)
    while (place := data.rfind(b"SREC", 0, place)) >= 0:
        stored = struct.unpack_from("<I", data, place + 12)[0]
        if data[place + 8] == 1 and stored > 8:
            with open(volume, "r+b") as out:
                out.seek(place + 56 + stored // 2)
                out.write(bytes(byte ^ 0xFF for byte in data[place + 56 + stored // 2:][:4]))
            sys.exit(0)
sys.exit("the stick has no chunk to damage")
PYTHON
}

step "1. Courseware"
if [[ -n $given ]]; then
    cp -a "$given" "$here/courseware"
    say "a copy of $given: $(bytes_of "$here/courseware") bytes"
else
    make_courseware "$here/courseware"
    files=$(find "$here/courseware" -type f | wc -l)
    say "made in $here/courseware: $(bytes_of "$here/courseware") bytes in $files files"
fi

step "2. A county hub founds its network; two villages join"
run init "$here/hub" --network "Qingshan County" --site-name hub
for village in east west; do
    "$satchel" --quiet join-request "$here/$village" --site-name "$village" >"$here/$village.request"
    "$satchel" --quiet --site "$here/hub" enrol "$here/$village.request" >"$here/$village.grant"
    say "request: $(wc -c <"$here/$village.request") bytes, grant: $(wc -c <"$here/$village.grant") bytes"
    run join "$here/$village" "$here/$village.grant"
done
run --site "$here/hub" sites list

step "3. The hub publishes edition 1; it becomes current with its review"
run --site "$here/hub" publish "$here/courseware" --reviews 1 --message "First edition"
mapfile -t courses < <("$satchel" --site "$here/hub" --json catalogue list | python3 -c '
import json, sys
for line in sys.stdin:
    item = json.loads(line)
    if item["message_type"] == "item": print(item["course"])')
for course in "${courses[@]}"; do run --site "$here/hub" review sign "$course"; done
course=${courses[0]}

step "4. A stick carries it to both villages"
run --site "$here/hub" stick write "$stick"
say "the stick now holds $(bytes_of "$stick") bytes"
for village in east west; do run --site "$here/$village" stick read "$stick"; done
run --site "$here/east" checkout "$course" "$here/checked-out"
(cd "$here" && b2sum -l 256 --quiet -c checked-out.b2sums)
say "b2sum agrees with every file that was checked out"

step "5. Edition 2 has small changes: the stick brings home what the villages hold, and takes only the delta"
change_courseware "$here/courseware"
run --site "$here/hub" publish "$here/courseware" --reviews 1 --message "Second edition"
for each in "${courses[@]}"; do "$satchel" --quiet --site "$here/hub" review sign "$each" >/dev/null; done
run --site "$here/hub" stick read "$stick"
delta=$("$satchel" --site "$here/hub" --json stick write "$stick" | field payload_bytes)
say "$delta bytes went onto the stick for edition 2, of $(bytes_of "$here/courseware") bytes of courseware"
run --site "$here/east" stick read "$stick"
run --site "$here/east" why "$course"

step "6. A damaged stick is refused in its damaged part and used in the rest"
cp -a "$stick" "$here/damaged"
damage_stick "$here/damaged"
refused 3 --site "$here/west" stick read "$here/damaged"
say "the whole stick mends it:"
run --site "$here/west" stick read "$stick"

step "7. A forged stick changes nothing"
before=$("$satchel" --site "$here/east" --json status)
"$satchel" --quiet init "$here/forger" --network "Qingshan County" >/dev/null
"$satchel" --quiet --site "$here/forger" publish "$here/courseware" --message "Forged" >/dev/null || [[ $? == 3 ]]
mkdir "$here/forged"
"$satchel" --quiet --site "$here/forger" stick write "$here/forged" >/dev/null
run --site "$here/east" stick read "$here/forged"
after=$("$satchel" --site "$here/east" --json status)
[[ $(field heads <<<"$before") == "$(field heads <<<"$after")" ]] || die "the forged stick changed the catalogue"
[[ $(field chunks <<<"$before") == "$(field chunks <<<"$after")" ]] || die "the forged stick changed the store"
say "the network's name is the same, its keys are not: nothing was taken"

# serve SITE [ARGUMENT...]: owns the site in the background; what it says as JSON goes to SITE.out.
serve() {
    local site=$1
    shift
    printf '   $ satchel --site %s serve %s &\n' "$site" "$*"
    : >"$here/$site.out"
    "$satchel" --json --site "$here/$site" serve "$@" >"$here/$site.out" 2>"$here/$site.err" &
    started+=($!)
    for ((i = 0; i < 200; ++i)); do [[ -S $here/$site/owner.sock ]] && break || sleep 0.05; done
}
said() { # SITE FIELD: waits until the owner of the site has said it
    for ((i = 0; i < 200; ++i)); do
        python3 - "$here/$1.out" "$2" <<'PYTHON' && return
import json, sys
for line in open(sys.argv[1], encoding="utf-8"):
    if sys.argv[2] in (said := json.loads(line)):
        print(said[sys.argv[2]])
        sys.exit(0)
sys.exit(1)
PYTHON
        sleep 0.05
    done
    die "$1 did not say $2"
}

step "8. Both villages record viewings; the west's come home on the stick"
run --site "$here/east" record viewing "course=$course" headcount=35 dur=3600
run --site "$here/east" record viewing "course=$course" headcount=12 dur=1800
run --site "$here/west" record viewing "course=$course" headcount=20 dur=3000
run --site "$here/west" stick read "$stick"
run --site "$here/hub" stick read "$stick"

step "9. A third edition goes to the east by link, which is cut in mid-film and goes on"
first_folder=$(find "$here/courseware" -mindepth 1 -maxdepth 1 -type d | sort | head -n 1)
python3 -c 'import random, sys; open(sys.argv[1], "wb").write(random.Random(3).randbytes(4_000_000))' \
    "$first_folder/new-film.mp4"
run --site "$here/hub" publish "$here/courseware" --message "Third edition, with a new film" --reviews 0
serve hub --listen 127.0.0.1:0
: >"$here/proxy.out"
python3 "$proxy" --to "$(said hub address)" --cut-after 1500000 --cuts 1 --counts "$here/proxy.counts" \
    >"$here/proxy.out" &
line_process=$!
started+=("$line_process")
for ((i = 0; i < 200; ++i)); do [[ -s $here/proxy.out ]] && break || sleep 0.05; done
run --site "$here/east" sync "127.0.0.1:$(cat "$here/proxy.out")" --explain
kill "$line_process" && wait "$line_process" 2>/dev/null || true
counted() { field "$1" <"$here/proxy.counts"; }
say "the line was cut ($(counted cuts)) and carried $(counted bytes_up) bytes up, $(counted bytes_down) down"
run --site "$here/east" checkout "$course" "$here/checked-out"
(cd "$here" && b2sum -l 256 --quiet -c checked-out.b2sums)

step "10. The report agrees with what was recorded"
run --site "$here/hub" report viewing
totals=$("$satchel" --json --site "$here/hub" report viewing --by month 2>/dev/null | sed -n 1p)
[[ $(field views <<<"$totals") == 3 && $(field headcount <<<"$totals") == 67 ]] ||
    die "the report does not agree: $totals"
say "3 viewings, 35 + 12 + 20 = 67 people: exact"

step "11. A lesson plays by range request"
serve east --play 127.0.0.1:0
url=$(said east play)
film=$(cd "$here/checked-out" && find . -type f -printf '%s %P\n' | sort -rn | head -n 1 | cut -d ' ' -f 2-)
encoded=$(python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1]))' "$course/$film")
curl -sS -r 1000000-1000999 -o "$here/range" -D "$here/range.head" "${url%/}/lesson/$encoded"
sed -n '1p; /^[Cc]ontent-[Rr]ange/p' "$here/range.head" | tr -d '\r' | sed 's/^/     /'
cmp "$here/range" <(tail -c +1000001 "$here/checked-out/$film" | head -c 1000) || die "the range holds other bytes"
say "1,000 bytes from the middle of $film, as they were published; a browser shows all of it at $url"
stop_all

step "Go on from here"
say "export SATCHEL_SITE=$here/east"
say "$satchel status"
say "$satchel catalogue list"
say "$satchel catalogue show '$course'"
say "git -C $here/east/catalogue.git log --show-signature"
say "rm -r $here     (when you have seen enough)"
