#!/usr/bin/env bash
# What earlier releases wrote is opened and used: their sites, and their sticks.
source "$SATCHEL_SOURCE_DIR/tests/e2e/steps.sh"

for release in "$SATCHEL_SOURCE_DIR"/tests/fixtures/v*/; do
    name=$(basename "$release")
    step "$name: sites open, verify clean and show what they held"
    mkdir "$name"
    for archive in hub village stick; do tar -xzf "$release$archive.tar.gz" -C "$name" --no-same-owner; done
    for site in hub village; do
        does --site "$name/$site" status
        does --site "$name/$site" store verify
        does --site "$name/$site" catalogue verify
    done
    does --site "$name/village" cat rice 图片/第一课.txt
    says '插秧'
    does --site "$name/village" cat rice table.txt
    seq 1 30000 | cmp - out || fail "$name: the first edition's table is another"

    step "$name: the stick is read, and its second edition with its review becomes current"
    does --site "$name/village" stick read "$name/stick"
    does --site "$name/village" cat rice table.txt
    seq 1 30010 | cmp - out || fail "$name: the second edition's table is another"

    step "$name: the hub goes on publishing"
    mkdir -p "$name/courses/rice"
    echo '{"id": "rice", "title": {"en": "Rice"}}' >"$name/courses/rice/course.json"
    seq 1 30020 >"$name/courses/rice/table.txt"
    does --site "$name/hub" publish "$name/courses/rice" --reviews 0
    does --site "$name/hub" stick write "$name/stick"
    does --site "$name/village" stick read "$name/stick"
    does --site "$name/village" cat rice table.txt
    seq 1 30020 | cmp - out || fail "$name: the new edition's table is another"
done
