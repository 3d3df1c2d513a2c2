# What is damaged, foreign, newer or too much gets a message that names the thing, the place, the reason and the
# remedy, and the documented exit code; nothing is half applied, and the rest is used.
source "$SATCHEL_SOURCE_DIR/tests/e2e/steps.sh"

# Nothing of a refused thing may stay: the catalogue's height and the roster tell.
height() { "$satchel" --json --site "$1" status | python3 -c 'import json, sys; print(json.load(sys.stdin)["heads"])'; }
unchanged() { # SITE HEIGHT
    if [[ $(height "$1") != "$2" ]]; then fail "something was applied to $1"; fi
}

largest_volume() { find "$1" -name '0*.SAT' -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-; }
only_pack() { find "$1/packs" -name '*.pack' | sort | tail -n 1; }
# Where the bytes of a file lie in another: both are random, so that they lie as they are.
place_of() { # BYTES_OF IN
    python3 -c '
import sys
needle = open(sys.argv[1], "rb").read()[1000:1064]
print(open(sys.argv[2], "rb").read().index(needle))' "$1" "$2"
}

make_network village
make_courseware
does --site hub publish courseware
mkdir usb
does --site hub stick write usb

step "A bit flipped on a stick costs its chunk only"
cp -a usb flipped
cp -a village first
change_byte "$(largest_volume flipped)" "$(place_of courseware/songs/song.bin "$(largest_volume flipped)")"
refuses 3 --site first stick read flipped
says 'damaged: ' '.SAT at byte ' 'the bytes are damaged' 'complete now: maths' 'Write the stick again'
refuses 3 --json --site first stick read flipped
if [[ $(field damaged_count) != 1 || $(field damaged.0.code) != 13 ]]; then fail "the JSON tells of no damage"; fi
does --json --site first why songs
if [[ $(field state) != missing-chunks ]]; then fail "songs is $(field state)"; fi
does --site first cat maths film.mp4
ends_with 0 cmp out courseware/maths/film.mp4
refuses 1 --site first checkout songs half
says 'part of this course is not here yet' 'satchel why'
does --site first stick read usb
says 'complete now: songs'
does --site first store verify
refuses 13 stick show flipped
says '1 damaged'

step "A stick that was cut off is used up to there"
cp -a usb cut
cp -a village second
volume=$(largest_volume cut)
truncate -s "$(place_of courseware/songs/song.bin "$volume")" "$volume"
refuses 3 --site second stick read cut
says 'damaged: ' '.SAT at byte '
does --site second store verify
does --site second stick read usb
does --site second cat songs song.bin
ends_with 0 cmp out courseware/songs/song.bin

step "A stick that was cut off between two records, and one whose volume is gone, are told"
cp -a usb cut-between
cp -a village third-village
volume=$(largest_volume cut-between)
python3 - "$volume" <<'PYTHON'
import os, sys
sys.path.insert(0, os.environ["SATCHEL_SOURCE_DIR"] + "/tests/soak")
import formats
chunks = [record for record in formats.volume_records(sys.argv[1]) if record.kind == formats.CHUNK]
os.truncate(sys.argv[1], chunks[-1].place)
PYTHON
refuses 13 stick show cut-between
refuses 3 --site third-village stick read cut-between
says 'damaged: ' '.SAT at byte ' 'Write the stick again'
rm "$volume"
refuses 13 stick show cut-between
does --site third-village stick read usb
does --site third-village cat songs song.bin
ends_with 0 cmp out courseware/songs/song.bin

step "A stick without a single whole record is damaged, and one that is none is named"
cp -a usb ruined
for volume in ruined/SATCHEL/*/0*.SAT; do python3 -c '
import os, sys
size = os.path.getsize(sys.argv[1])
open(sys.argv[1], "wb").write(b"\xff" * size)' "$volume"; done
before=$(height village)
refuses 13 --site village stick read ruined
says '.SAT at byte 0'
unchanged village "$before"
mkdir empty
refuses 1 --site village stick read empty
refuses 1 --site village stick read nowhere
says 'nowhere' 'the stick is not in, or not mounted' 'mount it'

step "A stick of another network changes nothing"
"$satchel" --quiet init other --network 'Yushan county' 2>/dev/null >/dev/null
does --site other publish courseware
mkdir foreign
does --site other stick write foreign
does --site village stick read foreign
says '1 folders of other networks were left alone'
unchanged village "$before"

step "A bit flipped in a pack, and a pack cut off, are found, named and mended by stick"
does --site village stick read usb
for how in flip cut; do
    rm -rf hurt
    cp -a village hurt
    pack=$(only_pack hurt)
    place=$(place_of courseware/songs/song.bin "$pack")
    if [[ $how == flip ]]; then change_byte "$pack" "$place"; else truncate -s "$place" "$pack"; fi
    refuses 13 --site hurt cat songs song.bin
    says "$(basename "$pack")"
    does --site hurt checkout maths rest
    ends_with 0 diff -r courseware/maths rest
    refuses 13 --site hurt store verify
    says "$(basename "$pack")" 'lost: songs, edition 1: song.bin' 'they are wanted again'
    does --site hurt store verify
    does --site hurt stick read usb
    does --site hurt cat songs song.bin
    ends_with 0 cmp out courseware/songs/song.bin
    does --site hurt checkout maths mended
    rm -rf rest mended mended.b2sums rest.b2sums
done

step "A database that is newer, damaged, cut off or empty"
cp -a village newer
sqlite3 newer/site.db 'pragma user_version = 99'
refuses 1 --site newer status
says 'newer/site.db' 'this site was written by a newer program' '99' 'update satchel'
refuses 1 --json --site newer status
if [[ $(sqlite3 newer/site.db 'pragma user_version') != 99 ]]; then fail "the newer database was changed"; fi
does --json --site village status
sed 's/"free_bytes":[0-9]*/free/' out >sound.status
for how in header cut empty garbage; do
    rm -rf hurt
    cp -a village hurt
    case $how in
        header) change_byte hurt/site.db 3 ;;
        cut) truncate -s 20000 hurt/site.db ;;
        empty) truncate -s 0 hurt/site.db ;;
        garbage) head -c 100000 courseware/maths/film.mp4 >hurt/site.db ;;
    esac
    before=$(sha256sum hurt/packs/*)
    refuses 13 --site hurt status
    says 'hurt' 'site.db'
    says 'satchel repair'
    does --site hurt repair
    if [[ $(sha256sum hurt/packs/*) != "$before" ]]; then fail "the packs were touched"; fi
    does --json --site hurt status
    if ! diff <(sed 's/"free_bytes":[0-9]*/free/' out) sound.status; then
        fail "repair did not bring back what was there"
    fi
done
rm hurt/site.db
refuses 13 --site hurt status
says 'hurt' 'site.db' 'satchel repair'
refuses 1 init hurt --network Another
does --site hurt repair
does --site hurt catalogue verify
does --site hurt store verify

step "A request or grant that is cut off, altered, foreign, read out wrong, expired or used"
does join-request third --site-name third
cp out third.request
does join-request fourth --site-name fourth
cp out fourth.request
before=$(height hub)
head -c 200 third.request >cut.request
sed 's/third/thurd/' third.request >altered.request
refuses 13 --site hub enrol cut.request
says 'cut.request' 'the document is not in its format' 'get it again'
refuses 12 --site hub enrol altered.request
says 'altered.request' 'altered after it was made'
refuses 13 --site hub enrol courseware/maths/questions.txt
refuses 1 --site hub enrol nothing.request
says 'nothing.request' 'there is no such file'
unchanged hub "$before"
does --site hub enrol third.request --days 1
cp out third.grant
does --site hub enrol fourth.request
cp out fourth.grant
head -c 300 third.grant >cut.grant
refuses 13 join third cut.grant
says 'cut.grant' 'the document is not in its format'
sed 's/"third"/"fifth"/' third.grant >altered.grant
refuses 12 join third altered.grant
says 'altered.grant' 'the signature does not hold'
refuses 12 join third fourth.grant
says 'fourth.grant' "answers another box's request"
refuses 12 join third third.grant --expect lusab-babad-gutih-tugad-mokan
says 'compare the words'
if command -v faketime >/dev/null; then refuses 12 faketime '3 days' "$satchel" join third third.grant; fi
refuses 10 --site third status
does join third third.grant
refuses 12 join third third.grant
says 'a grant counts once'
does --site third status

step "A course.json or a review that makes no sense stops before anything is made"
before=$(height hub)
mkdir -p broken/one broken/two
echo 'fine' >broken/one/text.txt
echo '{"id": "two", "title": ' >broken/two/course.json
refuses 13 --site hub publish broken
says 'broken/two/course.json'
unchanged hub "$before"
does --site hub review statement maths
head -c 40 out >cut.review
echo 'no signature' >cut.review.sig
refuses 13 --site hub review import cut.review cut.review.sig
says 'cut.review'
unchanged hub "$before"

step "A key file that is damaged"
cp -a village hurt-keys
echo 'no key' >hurt-keys/keys/site.key
refuses 13 --site hurt-keys status
says 'site.key' 'the key file is damaged' 'put the right keys back'

step "A name that the target cannot hold costs what it names"
long=$(printf 'x%.0s' {1..252})
refuses 1 --site village checkout maths "$long"
says 'the target cannot hold this name' 'use a disk with another file system'
mkdir lessons
mkdir lessons/questions.txt
refuses 3 --site village checkout maths lessons
says 'left out: questions.txt'
ends_with 0 cmp lessons/film.mp4 courseware/maths/film.mp4

step "A full disk, and a file that may not grow, stop a command that then goes on"
ends_with 14 bash -c '"$1" --site village cat maths film.mp4 >/dev/full' - "$satchel"
says 'the answer cannot be written' 'make room'
python3 -c 'import random; open("courseware/maths/large.bin", "wb").write(random.Random(9).randbytes(5_000_000))'
before=$(height hub)
ends_with 1 bash -c 'trap "" XFSZ; ulimit -f 4000; exec "$1" --site hub publish courseware' - "$satchel"
says '.pack' 'cannot hold a file this large'
unchanged hub "$before"
does --site hub store verify
does --site hub publish courseware
does --site hub cat maths large.bin
ends_with 0 cmp out courseware/maths/large.bin

step "A reader that leaves ends a command quietly"
"$satchel" --site hub cat maths large.bin 2>err | head -c 1000 >out || true
if [[ -s err ]]; then fail "there was nothing to complain about"; fi
