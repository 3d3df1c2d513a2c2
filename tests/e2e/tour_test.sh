# The tour ends well, in time, and shows what it promises.
source "$SATCHEL_SOURCE_DIR/tests/e2e/steps.sh"

seconds_max=240  # 90 on a machine that does nothing else; here other tests run beside it

mkdir temporary
begun=$SECONDS
TMPDIR=$PWD/temporary ends_with 0 "$SATCHEL_SOURCE_DIR/tests/e2e/tour.sh"
took=$((SECONDS - begun))
if ((took >= seconds_max)); then fail "the tour took $took s"; fi
says '1. Courseware' 'b2sum agrees' 'bytes went onto the stick for edition 2' 'damaged: ' \
    'folders of other networks were left alone' \
    '35 + 12 + 20 = 67 people: exact' '206 Partial Content' 'as they were published' 'Go on from here'

step "A folder of one's own, with a name to quote, is toured too"
mkdir -p "own folder/课程 one"
python3 -c 'import random; open("own folder/课程 one/it'"'"'s.bin", "wb").write(random.Random(1).randbytes(300_000))'
echo 'a text' >'own folder/课程 one/text.txt'
TMPDIR=$PWD/temporary ends_with 0 "$SATCHEL_SOURCE_DIR/tests/e2e/tour.sh" "$PWD/own folder"
says 'a copy of' 'Go on from here'
