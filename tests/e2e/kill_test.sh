# A few kills of what tests/soak/kill.py does in plenty.
source "$SATCHEL_SOURCE_DIR/tests/e2e/steps.sh"

ends_with 0 "$SATCHEL_SOURCE_DIR/tests/soak/kill.py" --count 12 --megabytes 4
cat out
says 'summary: 12 kills, 0 failures'
