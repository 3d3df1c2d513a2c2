#!/usr/bin/env bash
# Crash states at the large count: the same programs as in the gate, told to go on for longer.
# The tests print lines `crash states: N ...`, which make the summary.
set -euo pipefail

states_min=20000  # of courseware and sticks, and again of records and links

log=$SATCHEL_SOAK_DIR/output
held=0
"$SATCHEL_BUILD/tests/crash_tests" --gtest_color=no 2>&1 | tee "$log" || held=1
read -r courseware records < <(awk '/^crash states: / { if (/record|link/) records += $3; else rest += $3 }
    END { print rest + 0, records + 0 }' "$log")
passed=$(grep -c '^\[       OK \]' "$log" || true)
failed=$(grep -c '^\[  FAILED  \].*ms)$' "$log" || true)
if ((courseware < states_min || records < states_min)); then
    echo "too few: $states_min crash states of each are asked for"
    held=1
fi
states="$courseware crash states of courseware, $records of records and links"
echo "summary: $states, $passed tests held, $failed failed"
exit "$held"
