#!/usr/bin/env bash
# Five hundred simulated weeks of a county, shared out between the processors; each seed is a world of its own.
# Use: week.sh [COUNT [FIRST_SEED]]
set -euo pipefail
count=${1:-500}
first=${2:-1}
jobs=$(nproc)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
processes=()
for ((job = 0; job < jobs; ++job)); do
    from=$((count * job / jobs))
    weeks=$((count * (job + 1) / jobs - from))
    if ((weeks == 0)); then continue; fi
    "$SATCHEL_BUILD/satchel-sim" county-week --seed $((first + from)) --seeds "$weeks" >"$folder/$job" &
    processes+=($!)
done
failed=0
for process in "${processes[@]}"; do wait "$process" || failed=1; done
cat "$folder"/* | grep -v '^summary: '
awk '/^summary: / { weeks += $2; broke += $4 } END { print "summary: " weeks " weeks, " broke " broke a promise" }' \
    "$folder"/*
exit "$failed"
