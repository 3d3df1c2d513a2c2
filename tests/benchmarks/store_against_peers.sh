#!/usr/bin/env bash
# The store beside restic, borg and casync: see store_against_peers.py. Run by ./dev bench.
#
# BENCH_SIZE=try    24 MB and 1,500 small files, one run: 2 minutes, shows only that it runs
# BENCH_SIZE=small  256 MB and 12,000 small files, three runs: 10 minutes (what is taken if not told)
# BENCH_SIZE=full   1 GB and 117,000 small files, five runs: 1 to 3 hours
# BENCH_COURSEWARE=FOLDER  its e1, e2, e3 instead of the library that is made here
# RUNS=N another count of runs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

declare -A takes=([try]='2 minutes' [small]='10 minutes' [full]='1 to 3 hours')
size=${BENCH_SIZE:-small}
if [[ -z ${takes[$size]:-} ]]; then
    echo "BENCH_SIZE is try, small or full" >&2
    exit 2
fi
echo "size $size: about ${takes[$size]}; BENCH_SIZE=try|small|full chooses"

missing=()
for package in restic borgbackup casync time sqlite3; do
    if [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true) != installed ]]; then
        missing+=("$package")
    fi
done
if ((${#missing[@]} > 0)); then
    as_root=()
    if ((EUID != 0)); then as_root=(sudo); fi
    echo "Installing from Debian: ${missing[*]}"
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}"
fi
exec ./store_against_peers.py "$@"
