#!/usr/bin/env bash
# Five hundred simulated weeks of a county; each seed is a world of its own.
set -euo pipefail
exec "$SATCHEL_BUILD/satchel-sim" county-week --seeds 500
