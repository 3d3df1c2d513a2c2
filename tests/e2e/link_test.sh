# Two sites over TCP: a first contact, a line that cuts, both ends killed, owners at both ends, two syncs at once.
source "$SATCHEL_SOURCE_DIR/tests/e2e/steps.sh"

proxy_program=$SATCHEL_SOURCE_DIR/tests/support/cutting_proxy.py
started=()
trap 'for each in "${started[@]}"; do kill -9 "$each" 2>/dev/null || true; done' EXIT

waits_for() { # COMMAND...: until it succeeds
    for ((i = 0; i < 400; ++i)); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.05
    done
    fail "this did not come true: $*"
}

# serve SITE [ARGUMENT...]: owns the site; `owner` is the process, `at` the address that it listens on.
serve() {
    local site=$1
    shift
    : >"$site.out"
    "$satchel" --json --site "$site" serve "$@" >"$site.out" 2>"$site.err" &
    owner=$!
    started+=("$owner")
    waits_for test -S "$site/owner.sock"
    at=
    if [[ " $* " == *" --listen "* ]]; then
        waits_for grep -q '"listening"' "$site.out"
        at=$(python3 -c 'import json,sys; print(json.loads(open(sys.argv[1]).readline())["address"])' "$site.out")
    fi
}

# proxy ARGUMENT...: a poor line to $at; `line` is its address.
proxy() {
    : >proxy.out
    python3 "$proxy_program" --to "$at" --counts proxy.counts "$@" >proxy.out &
    proxy_process=$!
    started+=("$proxy_process")
    waits_for test -s proxy.out
    line=127.0.0.1:$(cat proxy.out)
}

ends() { # PROCESS
    kill -TERM "$1"
    wait "$1" 2>/dev/null || true
}

has_taken() { # SITE BYTES
    (($(du -sb "$1/packs" | cut -f 1) > $2))
}

same_lesson() { # SITE COURSE
    rm -rf "lesson-$1" "lesson-$1.b2sums"
    does --site "$1" checkout "$2" "lesson-$1"
    ends_with 0 diff -r "courseware/$2" "lesson-$1"
}

make_network village second third
make_courseware
python3 -c 'import random; open("courseware/maths/large.bin", "wb").write(random.Random(3).randbytes(6_000_000))'
does --site hub publish courseware

step "Nobody there: the exit code and the remedy"
refuses 15 --site village sync 127.0.0.1:1 --wait 0
says 'the other side does not answer' 'satchel serve --listen'
refuses 15 --site village sync no-such-host.invalid:7247 --wait 0
says 'no host of this name is known here'
refuses 2 --site village sync hub
says 'this is no address'

step "First contact: a village that knows nobody yet takes all courses"
serve hub --listen 127.0.0.1:0
hub=$owner hub_at=$at
does --site village sync "$hub_at" --explain
says 'Complete now: maths' 'handshake' 'content' 'Nothing is left to tell hub'
same_lesson village maths
does --json --site village status
if [[ $(field waiting) != 0 ]]; then fail "something is still awaited"; fi

step "A second contact says that nothing is left, in few bytes"
does --json --site village sync "$hub_at"
if (($(field bytes_in) + $(field bytes_out) > 4000)); then fail "a quiet contact costs $(field bytes_in) bytes"; fi

step "A line that cuts: it goes on where it stopped"
at=$hub_at
proxy --cut-after 1500000 --cuts 3
does --json --site second sync "$line"
if [[ $(field links) != 4 ]]; then fail "there were $(field links) links instead of 4"; fi
if (($(field bytes_in) > 9000000)); then fail "too much came twice: $(field bytes_in) bytes"; fi
same_lesson second maths
ends "$proxy_process"

step "kill -9 of the village in the middle"
at=$hub_at
proxy --rate 16000000
"$satchel" --site third sync "$line" >third.out 2>third.err &
victim=$!
waits_for has_taken third 2500000
kill -9 "$victim"
wait "$victim" 2>/dev/null || true
does --site third store verify
does --json --site third sync "$line"
if (($(field bytes_in) > 6000000)); then fail "the second contact began anew: $(field bytes_in) bytes"; fi
same_lesson third maths

step "kill -9 of the hub in the middle: the village waits for it and goes on"
python3 -c 'import random; open("courseware/songs/more.bin", "wb").write(random.Random(4).randbytes(5_000_000))'
does --site hub publish courseware
"$satchel" --site third sync "$line" --wait 30 >third.out 2>third.err &
waiting=$!
sleep 1
kill -9 "$hub"
wait "$hub" 2>/dev/null || true
serve hub --listen "$hub_at"
hub=$owner
code=0
wait "$waiting" || code=$?
if [[ $code != 0 ]]; then fail "the village ended with $code: $(cat third.err)"; fi
same_lesson third songs
ends "$proxy_process"

step "Two villages at once, and commands beside a long sync"
at=$hub_at
proxy --rate 16000000
serve village
village=$owner
"$satchel" --site village sync "$line" >village.sync 2>&1 &
first=$!
"$satchel" --site second sync "$line" >second.sync 2>&1 &
other=$!
sleep 0.5
does --site village status
does --site hub status
wait "$first" || fail "the first ended badly: $(cat village.sync)"
wait "$other" || fail "the second ended badly: $(cat second.sync)"
same_lesson village songs
same_lesson second songs
ends "$proxy_process"
ends "$village"

step "Owners at both ends: what the hub publishes comes by itself"
serve village --peer "$hub_at"
village=$owner
waits_for grep -q '"linked"' village.out
echo 'What is a third?' >courseware/maths/thirds.txt
does --site hub publish courseware
does --site village sync "$hub_at"
waits_for "$satchel" --site village cat maths thirds.txt
ends "$village"

step "A revoked box is refused, with the remedy"
does --site hub sites revoke third
refuses 12 --site third sync "$hub_at"
says 'this box was revoked' 'ask the hub'

step "A box of another network is refused"
does init other --network 'Elsewhere'
refuses 12 --site other sync "$hub_at"
says 'same network'

step "SIGTERM ends the owner soundly"
kill -TERM "$hub"
code=0
wait "$hub" || code=$?
if [[ $code != 0 ]]; then fail "the owner ended with $code"; fi
