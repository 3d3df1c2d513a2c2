# Courses in a browser: byte ranges, the list, the sandbox of web lessons, what is not complete. By curl.
source "$SATCHEL_SOURCE_DIR/tests/e2e/steps.sh"

owner=
trap 'if [[ -n $owner ]]; then kill -9 "$owner" 2>/dev/null || true; fi' EXIT

play() { # SITE OPTION...
    local site=$1
    shift
    rm -f owner.out owner.err # of the owner before: what it said must not be taken for this one's
    "$satchel" --site "$site" --json serve --play 0 "$@" >owner.out 2>owner.err &
    owner=$!
    for ((i = 0; i < 200; ++i)); do
        if grep -qs '"play_web"' owner.out; then break; fi
        sleep 0.05
    done
    cp owner.out out
    cp owner.err err
    pages=$(field play)
    web=$(field play_web)
}
stop() {
    kill -TERM "$owner"
    local code=0
    wait "$owner" || code=$?
    owner=
    if [[ $code != 0 ]]; then fail "the owner ended with $code"; fi
}

# get STATUS URL OPTION...: the body goes to the file out, the head to the file err.
get() {
    local want=$1 url=$2 got
    shift 2
    got=$(curl -sS --path-as-is -D err -o out -w '%{http_code}' "$@" "$url") || true
    if [[ $got != "$want" ]]; then fail "status $got instead of $want: $url"; fi
}
same() { if ! cmp -s "$1" "$2"; then fail "$1 and $2 differ"; fi; }

make_network village
make_courseware
cp courseware/maths/questions.txt 'courseware/maths/a question: why? 100%.txt'
printf 'WEBVTT\n\n00:00.000 --> 00:01.000\n你好\n' >courseware/maths/film.vtt
printf '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>' >courseware/maths/picture.svg
printf '<p>old</p>' >'courseware/maths/<b>&.htm'
does --site hub publish courseware
does --site hub cat maths film.mp4
mv out film

play hub

step "The list and a course's page, in both languages"
get 200 "$pages"
says 'Courses at this site' 'Maths 5' '/course/maths/' 'Content-Security-Policy' 'complete'
get 200 "$pages" -H 'Accept-Language: zh-CN,zh;q=0.9,en;q=0.5'
says '本站点的课程' '五年级数学'
get 200 "${pages}course/maths/"
says '<video controls' '/lesson/maths/film.mp4' '<track kind="subtitles" src="/lesson/maths/film.vtt"' \
    '/lesson/maths/a%20question%3A%20why%3F%20100%25.txt' '&lt;b&gt;&amp;.htm'
if grep -q '<b>' out; then fail "a name is not escaped"; fi
if grep -qi '<script' out; then fail "the page holds a script"; fi
get 301 "${pages}course/maths"
get 404 "${pages}course/nothing/"
get 404 "${pages}lesson/maths/nothing.mp4"

step "Bytes, ranges, resuming, and what a browser has already"
film_url="${pages}lesson/maths/film.mp4"
get 200 "$film_url"
same out film
says 'Content-Type: video/mp4' 'Accept-Ranges: bytes' 'Content-Length: 700000' 'nosniff'
etag=$(sed -n 's/^ETag: //p' err | tr -d '\r')
get 206 "$film_url" -H 'Range: bytes=1000-300999'
same out <(tail -c +1001 film | head -c 300000)
says 'Content-Range: bytes 1000-300999/700000'
get 206 "$film_url" -r -777
same out <(tail -c 777 film)
get 206 "$film_url" -r 699999-
says 'Content-Range: bytes 699999-699999/700000'
get 416 "$film_url" -r 700000-
says 'Content-Range: bytes */700000'
get 200 "$film_url" -r 0-1,5-6
same out film
get 200 "$film_url" -r 5-1
head -c 123456 film >half
curl -sS -C - -o half "$film_url" || fail "curl cannot go on"
same half film
get 304 "$film_url" -H "If-None-Match: $etag"
get 206 "$film_url" -r 5-9 -H "If-Range: $etag"
get 200 "$film_url" -r 5-9 -H 'If-Range: "other"'
get 200 "$film_url" -I
says 'Content-Length: 700000'
get 405 "$film_url" -X POST
says 'Allow: GET, HEAD'
get 413 "$film_url" -X GET -d body

step "Names are matched to the byte, and nothing leads out of a course"
get 200 "${pages}lesson/maths/a%20question%3A%20why%3F%20100%25.txt"
same out 'courseware/maths/a question: why? 100%.txt'
says 'text/plain; charset=utf-8'
get 200 "${pages}lesson/maths/%E7%AC%AC%E4%B8%80%E8%AF%BE/fractions.html"
for path in Film.mp4 ../maths/film.mp4 %2e%2e/maths/film.mp4 film.mp4/ /film.mp4 film.mp4%00 \
    %E7%AC%AC%E4%B8%80%E8%AF%BE%2Ffractions.html ..%2F..%2Fsite.db; do
    get 404 "${pages}lesson/maths/$path"
done
get 400 "${pages}lesson/maths/%zz"
get 414 "${pages}lesson/maths/$(head -c 17000 /dev/zero | tr '\0' a)"

step "Nothing of a course acts at the first port"
for path in '%E7%AC%AC%E4%B8%80%E8%AF%BE/fractions.html' picture.svg '%3Cb%3E%26.htm'; do
    get 200 "${pages}lesson/maths/$path"
    says 'Content-Type: text/plain; charset=utf-8' 'X-Content-Type-Options: nosniff'
done

step "Web lessons run in a sandbox at the second port, below the course's key"
get 200 "${pages}course/maths/"
lesson=$(grep -o "${web}[0-9a-f]*/maths/[^\"]*fractions.html" out | head -n 1)
get 200 "$lesson"
same out courseware/maths/第一课/fractions.html
says 'Content-Type: text/html; charset=utf-8' 'Content-Security-Policy: sandbox allow-scripts allow-forms;' \
    "default-src 'self'" 'Referrer-Policy: no-referrer' "frame-ancestors 'self' ${pages%/}"
if grep -qi '^set-cookie' err; then fail "a cookie"; fi
if grep -q 'allow-same-origin' err; then fail "the sandbox has the port's origin"; fi
get 200 "${lesson%/maths/*}/maths/film.mp4"
same out film
get 404 "${lesson%/maths/*}/songs/song.bin"
get 404 "${web}maths/film.mp4"
get 404 "$web"

step "A name that others could point at this box is refused"
get 421 "$film_url" -H 'Host: evil.example'
get 421 "$lesson" -H 'Host: evil.example:80'
get 200 "$film_url" -H 'Host: localhost:1'
get 400 "$film_url" -H 'Host: a b'

step "A new edition plays at once"
echo 'What is a third?' >courseware/maths/questions.txt
does --site hub publish courseware
get 200 "${pages}lesson/maths/questions.txt"
same out courseware/maths/questions.txt
rm courseware/maths/questions.txt
does --site hub publish courseware
get 404 "${pages}lesson/maths/questions.txt"

step "An address that is in use, or not of this box, or none, is told"
port=${pages##*:}
refuses 11 --site village serve --play "${port%/}"
says 'another program listens at this address' "--play 127.0.0.1:${port%/}"
refuses 2 --site village serve --play 192.0.2.1:8080
says 'this box does not have this address'
refuses 2 --site village serve --play nonsense
says 'this is no address to listen at'
stop

step "A village plays what is here, and says of what is not that it is not complete"
mkdir usb
does --site village subscribe add all
does --site hub stick write usb
does --site village stick read usb
does --site village status
play village --play-name village.lan
get 200 "${pages}lesson/maths/film.mp4" -H 'Host: village.lan'
same out film
stop
python3 - village <<'PYTHON'
import glob, sys
for pack in glob.glob(sys.argv[1] + "/packs/*"):
    film = open("film", "rb").read()
    data = open(pack, "rb").read()
    place = data.find(film[-2000:-1000])
    if place >= 0:
        with open(pack, "r+b") as file:
            file.seek(place)
            file.write(b"damaged!")
PYTHON
play village
if curl -sS -o part "${pages}lesson/maths/film.mp4" 2>err; then fail "damaged bytes were served as whole"; fi
if [[ $(stat -c %s part) -ge 700000 ]]; then fail "the answer is not short"; fi
same part <(head -c "$(stat -c %s part)" film)
get 503 "${pages}lesson/maths/film.mp4" -r -100
says 'The course maths is not complete here'
stop
refuses 13 --site village store verify
play village
get 503 "${pages}lesson/maths/film.mp4"
says 'The course maths is not complete here'
get 206 "${pages}lesson/maths/film.mp4" -r 0-999
same out <(head -c 1000 film)
get 200 "${pages}course/maths/"
says '% is here'
stop
