#!/usr/bin/env bash
# Crash states of the store alone, at the large count: ingest with its runs and merges, groups that go to the disk
# beside the next, collection, mending. Each pending write by itself at each sync, then random mixes.
set -euo pipefail

states_min=50000

log=$SATCHEL_SOAK_DIR/output
held=0
"$SATCHEL_BUILD/tests/store_tests" --gtest_color=no --gtest_filter='StoreCrash.*:CollectionCrash.*:PackMendCrash.*' \
    2>&1 | tee "$log" || held=1
states=$(awk '/^crash states: / { states += $3 } END { print states + 0 }' "$log")
passed=$(grep -c '^\[       OK \]' "$log" || true)
failed=$(grep -c '^\[  FAILED  \].*ms)$' "$log" || true)
if ((states < states_min)); then
    echo "too few: $states_min crash states are asked for"
    held=1
fi
echo "summary: $states crash states of the store, $passed tests held, $failed failed"
exit "$held"
