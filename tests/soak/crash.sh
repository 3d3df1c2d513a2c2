#!/usr/bin/env bash
# Crash states at the large count: the same programs as in the gate, told to go on for longer.
# The tests print lines `crash states: N ...`, which make the summary.
set -euo pipefail

states_min=20000

log=$SATCHEL_SOAK_DIR/output
held=0
"$SATCHEL_BUILD/tests/crash_tests" --gtest_color=no 2>&1 | tee "$log" || held=1
states=$(sed -n 's/^crash states: \([0-9]*\).*/\1/p' "$log" | awk '{ sum += $1 } END { print sum + 0 }')
passed=$(grep -c '^\[       OK \]' "$log" || true)
failed=$(grep -c '^\[  FAILED  \].*ms)$' "$log" || true)
if ((states < states_min)); then
    echo "too few: $states_min crash states are asked for"
    held=1
fi
echo "summary: $states crash states, $passed tests held, $failed failed"
exit "$held"
