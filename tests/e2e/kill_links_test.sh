# A few kills of what tests/soak/kill_links.py does in plenty.
source "$SATCHEL_SOURCE_DIR/tests/e2e/steps.sh"

ends_with 0 "$SATCHEL_SOURCE_DIR/tests/soak/kill_links.py" --count 6 --megabytes 2
cat out
says 'summary: 6 kills, 0 failures'
