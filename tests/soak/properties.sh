#!/usr/bin/env bash
# Every property test with 2,000 cases instead of 100.
set -euo pipefail

cases=2000
export RC_PARAMS="max_success=$cases"

log=$SATCHEL_SOAK_DIR/output
: >"$log"
held=0
programs=0
for name in property store trust catalogue stick database env; do
    program=$SATCHEL_BUILD/tests/${name}_tests
    if [[ ! -x $program ]]; then continue; fi
    "$program" --gtest_color=no 2>&1 | tee -a "$log" || held=1
    programs=$((programs + 1))
done
properties=$(grep -c '^OK, passed [0-9]* tests' "$log" || true)
falsified=$(grep -c '^Falsifiable after' "$log" || true)
echo "summary: $programs programs, $properties properties of $cases cases held, $falsified falsified"
if ((properties == 0)); then exit 1; fi
exit "$held"
