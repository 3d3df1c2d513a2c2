# Stock tools agree with what satchel writes, and refuse what was altered.
source "$SATCHEL_SOURCE_DIR/tests/e2e/steps.sh"

make_network village
make_courseware
does --site hub publish courseware --reviews 1

step "ssh-keygen signs a review that satchel takes, and checks it"
ssh-keygen -q -t ed25519 -N '' -C 'content review' -f reviewer
does --site hub reviewers add reviewer.pub --holder 'content review'
does --site hub review statement maths
cp out maths.review
ssh-keygen -q -Y sign -f reviewer -n satchel-review maths.review
does --site hub review import maths.review maths.review.sig
says 'The edition is current now.'
echo "reviewer namespaces=\"satchel-review\" $(cut -d' ' -f1,2 reviewer.pub)" >allowed
verify_review() { ssh-keygen -Y verify -f allowed -I reviewer -n satchel-review -s maths.review.sig <"$1"; }
ends_with 0 verify_review maths.review
sed 's/maths/songs/' maths.review >altered.review
ends_with 255 verify_review altered.review
refuses 12 --site hub review import altered.review maths.review.sig
refuses 12 --site hub review import altered.review maths.review.sig --json

step "git checks every commit of the mirror"
does --site hub review sign songs
mirror=hub/catalogue.git
ends_with 0 git -C "$mirror" fsck --strict --no-dangling
head=$(git -C "$mirror" rev-parse office)
for commit in $(git -C "$mirror" rev-list office); do
    ends_with 0 git -C "$mirror" verify-commit "$commit"
    says 'Good "git" signature'
done
ends_with 0 git -C "$mirror" log --show-signature --format=%H office
says "$head" 'Good "git" signature'
cp -a "$mirror" altered.git
forged=$(git -C altered.git cat-file commit "$head" | sed 's/^Publish/Publisx/' |
    git -C altered.git hash-object -t commit -w --stdin)
if [[ $forged == "$head" ]]; then fail "the commit was not altered"; fi
ends_with 1 git -C altered.git verify-commit "$forged"
object=$(find altered.git/objects -type f -path '*/??/*' | sort | head -n 1)
chmod u+w "$object"
change_byte "$object" -3
if git -C altered.git fsck --strict >out 2>err; then fail "git takes an altered object"; fi

step "b2sum checks an exported catalogue"
does --site hub catalogue export snapshot
check_snapshot() (cd snapshot && b2sum -l 256 --strict --quiet -c SNAPSHOT)
ends_with 0 check_snapshot
listed=$(wc -l <snapshot/SNAPSHOT)
there=$(find snapshot -type f ! -name SNAPSHOT | wc -l)
if [[ $listed != "$there" ]]; then fail "$there files are there, $listed are listed"; fi
change_byte "$(find snapshot -type f -name '*.json' | sort | head -n 1)" 5
ends_with 1 check_snapshot

step "b2sum checks a checkout at the village"
mkdir usb
does --site hub stick write usb
does --site village stick read usb
does --site village checkout maths lessons
check_lessons() { b2sum -l 256 --strict --quiet -c lessons.b2sums; }
ends_with 0 check_lessons
ends_with 0 diff -r courseware/maths lessons
if [[ $(grep -vc "^#" lessons.b2sums) != "$(find lessons -type f | wc -l)" ]]; then fail "not every file is listed"; fi
change_byte lessons/film.mp4 400000
ends_with 1 check_lessons

step "sqlite3 checks site.db when nobody owns the site"
for site in hub village; do
    ends_with 0 sqlite3 "$site/site.db" 'pragma integrity_check'
    if [[ $(cat out) != ok ]]; then fail "sqlite3 does not find $site/site.db whole"; fi
done
cp -a hub altered
python3 - <<'PYTHON'
data = bytearray(open("altered/site.db", "rb").read())
for page in range(2, len(data) // 4096): data[page * 4096:page * 4096 + 16] = b"\xff" * 16
open("altered/site.db", "wb").write(data)
PYTHON
sqlite3 altered/site.db 'pragma integrity_check' >out 2>err || true
if [[ $(cat out) == ok ]]; then fail "sqlite3 takes an altered database"; fi
refuses 13 --site altered catalogue list
