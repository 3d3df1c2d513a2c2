# While `satchel serve` runs, other commands are carried out inside it; it may die at any moment.
source "$SATCHEL_SOURCE_DIR/tests/e2e/steps.sh"

owner=
trap 'if [[ -n $owner ]]; then kill -9 "$owner" 2>/dev/null || true; fi' EXIT

serve() {
    "$satchel" --site hub serve >owner.out 2>owner.err &
    owner=$!
    for ((i = 0; i < 200; ++i)); do
        if [[ -S hub/owner.sock ]]; then return; fi
        sleep 0.05
    done
    fail "the owner does not come up: $(cat owner.err)"
}

make_network village
make_courseware

step "Commands go through the owner, with their files, their input and their exit codes"
serve
if [[ $(stat -c %a hub/owner.sock) != 600 ]]; then fail "the socket is not private"; fi
does --site hub publish courseware
says 'maths: edition 1'
does --site hub cat maths questions.txt
says 'What is a half?'
ends_with 0 cmp <("$satchel" --site hub cat maths film.mp4) courseware/maths/film.mp4
does --json --site hub status
if [[ $(field courses) != 2 ]]; then fail "the owner does not know what it published"; fi
(cd courseware && ends_with 0 "$satchel" --site ../hub checkout maths ../lessons)
rm courseware/out courseware/err
ends_with 0 diff -r courseware/maths lessons
does join-request second --site-name second
does --site hub enrol - <out
says 'Words of this grant'
refuses 1 --site hub cat maths nothing
says 'the course has no such file' 'catalogue show'
refuses 2 --site hub publish
does --site hub --lang zh status
says '个课程'
if [[ ! -S hub/owner.sock ]]; then fail "the owner is gone"; fi

step "A second owner finds the site in use"
refuses 11 --site hub serve
says 'another process is using this site' 'wait until it is done'

step "A command that holds the site makes others wait or go"
mkdir usb
"$satchel" --site village stick read usb >/dev/null 2>&1 || true
python3 - village <<'PYTHON' &
import fcntl, sys, time
lock = open(sys.argv[1] + "/lock", "r+")
fcntl.flock(lock, fcntl.LOCK_EX)
open("held", "w").close()
while True:
    time.sleep(0.05)
PYTHON
holder=$!
while [[ ! -e held ]]; do sleep 0.02; done
refuses 11 --site village status
refuses 11 --json --site village status
if [[ $(field code) != 11 ]]; then fail "the JSON has another code"; fi
kill -9 "$holder"
wait "$holder" 2>/dev/null || true
does --site village status

step "kill -9 of the owner leaves its socket; the next command finds all that was acknowledged"
kill -9 "$owner"
wait "$owner" 2>/dev/null || true
owner=
if [[ ! -S hub/owner.sock ]]; then fail "the socket went away by itself"; fi
does --site hub store verify
if [[ -e hub/owner.sock ]]; then fail "the dead owner's socket is still there"; fi
does --site hub catalogue verify
does --site hub cat songs song.bin
ends_with 0 cmp out courseware/songs/song.bin

step "kill -9 of the owner while it carries out a command ends that command, not the site"
serve
python3 -c 'import random; open("courseware/maths/large.bin", "wb").write(random.Random(3).randbytes(40_000_000))'
"$satchel" --site hub publish courseware >out 2>err &
client=$!
sleep 0.2
kill -9 "$owner"
wait "$owner" 2>/dev/null || true
owner=
code=0
wait "$client" || code=$?
if [[ $code != 0 && $code != 1 && $code != 15 ]]; then fail "the client ended with $code"; fi
if [[ $code != 0 ]]; then says 'the process that owns the site went away' 'run the command again'; fi
does --site hub store verify
does --site hub publish courseware
does --site hub cat maths large.bin
ends_with 0 cmp out courseware/maths/large.bin

step "SIGTERM ends the owner soundly, and its socket goes with it"
serve
kill -TERM "$owner"
code=0
wait "$owner" || code=$?
owner=
if [[ $code != 0 ]]; then fail "the owner ended with $code"; fi
if [[ -e hub/owner.sock ]]; then fail "the socket was left"; fi
