#!/usr/bin/env bash
# The memory of each command at stores of many chunks: see memory.py. Run by ./dev bench.
#
# BENCH_SIZE=try    20,000 synthetic chunks and 8 MB of courseware: seconds
# BENCH_SIZE=small  1,000,000 and 64 MB: a minute or two (what is taken if not told)
# BENCH_SIZE=full   4,400,000 and 256 MB: ten minutes
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
case ${BENCH_SIZE:-small} in
    try) sizes=(--packs 20 --chunks 1000 --megabytes 8) ;;
    small) sizes=(--packs 250 --chunks 4000 --megabytes 64) ;;
    full) sizes=(--packs 1000 --chunks 4400 --megabytes 256) ;;
    *)
        echo "BENCH_SIZE is try, small or full" >&2
        exit 2
        ;;
esac
export MAKE_PACKS=${MAKE_PACKS:-$(dirname "$SATCHEL")/tests/make_packs}
exec "$here/memory.py" "${sizes[@]}" "$@"
