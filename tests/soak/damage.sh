#!/usr/bin/env bash
# A thousand bursts of up to a mebibyte in packs of full size, and two hundred pairs of them.
# The tests print lines `bursts: N ...`, which make the summary.
set -euo pipefail

log=$SATCHEL_SOAK_DIR/output
held=0
"$SATCHEL_BUILD/tests/store_tests" --gtest_color=no --gtest_filter='PackBursts.*' 2>&1 | tee "$log" || held=1
said=$(sed -n 's/^bursts: //p' "$log" | paste -sd ';' | sed 's/;/; /g')
if ! grep -q '^bursts: 1000 of at most 1 MiB, 1000 mended$' "$log"; then held=1; fi
echo "summary: ${said:-nothing was said}"
exit "$held"
