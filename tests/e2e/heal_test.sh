# A full pack whose bytes went bad mends itself; of two bursts what they hit is named, and the rest is used.
source "$SATCHEL_SOURCE_DIR/tests/e2e/steps.sh"

does init hub --network 'Yushan county'
mkdir -p courseware/film courseware/text
echo '{"id": "film", "title": {"en": "Film"}}' >courseware/film/course.json
echo '{"id": "text", "title": {"en": "Text"}}' >courseware/text/course.json
echo 'one page' >courseware/text/page.txt
head -c 70000000 /dev/urandom >courseware/film/film.mp4
does --site hub publish courseware
pack=hub/packs/00000001.pack
size=$(stat -c %s "$pack")
if ((size < 60 * 1024 * 1024)); then fail "the pack is no full one: $size bytes"; fi
sum=$(sha256sum <"$pack")

zeros() { # PLACE BYTES
    dd if=/dev/zero of="$pack" bs=4096 seek="$1" count="$2" oflag=seek_bytes iflag=count_bytes conv=notrunc status=none
}
is_as_it_was() {
    if [[ $(sha256sum <"$pack") != "$sum" ]]; then fail "the pack is not as it was"; fi
}

step "A mebibyte of zeros is mended, and told once"
zeros 30000001 1048576
does --site hub store verify --fast
says 'mended: ' '00000001.pack at byte 29999104: 1.0 MiB' 'packs are whole, 0 are left'
is_as_it_was
does --json --site hub store verify
if [[ $(field healed) != 0 || $(field damaged) != 0 ]]; then fail "it is told again"; fi
does --site hub status
says '1.0 MiB of it were damaged and have been mended'

step "So is a table that is gone, and a file that is cut off"
zeros $((size - 1048576)) 1048576
does --json --site hub store verify
if [[ $(field healed) == 0 || $(field damaged) != 0 ]]; then fail "nothing was mended"; fi
is_as_it_was
truncate -s $((size - 1000000)) "$pack"
does --site hub store verify --fast --budget 1GB
is_as_it_was
does --site hub cat film film.mp4
ends_with 0 cmp out courseware/film/film.mp4

step "The same without the index of all packs"
zeros $((size - 70000)) 70000
does --site hub store rebuild-index
is_as_it_was
does --site hub store verify

step "Of two bursts in the same columns exactly the lesson that is hit is named, and comes again from a peer"
does join-request village --site-name village
cp out request
does --site hub enrol request
cp out grant
does join village grant
does --site village subscribe add all
"$satchel" --json --site hub serve --listen 127.0.0.1:0 >hub.out 2>hub.err &
hub=$!
trap 'kill -9 "$hub" 2>/dev/null || true' EXIT
for ((i = 0; i < 400; ++i)); do
    if grep -q '"listening"' hub.out; then break; fi
    sleep 0.05
done
at=$(python3 -c 'import json; print(json.loads(open("hub.out").readline())["address"])')
does --site village sync "$at"
pack=village/packs/00000001.pack
zeros 20000000 200000
zeros $((20000000 + 257 * 4096)) 200000
refuses 13 --site village store verify --fast
says 'damaged: ' '00000001.pack at byte' 'lost: film, edition 1: film.mp4' 'they are wanted again'
if [[ $(grep -c '^lost: ' out) != 1 ]]; then fail "other lessons are named, too"; fi
does --json --site village why film
if [[ $(field state) == complete ]]; then fail "the lesson is called complete"; fi
does --site village cat text page.txt
does --site village store verify
does --site village sync "$at"
does --site village checkout film again
ends_with 0 cmp again/film.mp4 courseware/film/film.mp4
does --site village store verify
does --json --site village status
if [[ $(field missing_chunks) != 0 ]]; then fail "chunks are still missing"; fi

step "A site that is served looks after its store by itself, and has the lesson sent again"
pack=village/packs/00000001.pack
zeros 40000000 200000
zeros $((40000000 + 257 * 4096)) 200000
"$satchel" --json --site village serve --care 1000TB --peer "$at" >village.out 2>village.err &
village=$!
trap 'kill -9 "$hub" "$village" 2>/dev/null || true' EXIT
is_healed() {
    grep -q '"lost_file":"film.mp4"' village.out || return 1
    "$satchel" --json --site village why film >why.out || return 1
    grep -q '"state":"complete"' why.out
}
for ((i = 0; i < 400; ++i)); do
    if is_healed; then break; fi
    sleep 0.05
done
is_healed || fail "the lesson did not come again: $(cat village.out)"
does --site village cat film film.mp4
ends_with 0 cmp out courseware/film/film.mp4
kill -TERM "$village"
wait "$village" || fail "serving ended with $?"
does --site village store verify
kill -TERM "$hub"
wait "$hub" || true

step "A budget looks at a part, in its turn"
does --json --site hub store verify --fast --budget 1MB
if [[ $(field packs) != 1 || $(field packs_left) == 0 ]]; then fail "the budget is not kept"; fi
refuses 2 --site hub store verify --budget soon
says 'this is not a number of bytes'
