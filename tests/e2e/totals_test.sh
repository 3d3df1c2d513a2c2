#!/usr/bin/env bash
# Records at three hubs, in several orders, by stick and by link: exact totals, equal reports (tests/soak/totals.py).
set -euo pipefail
exec python3 "$SATCHEL_SOURCE_DIR/tests/soak/totals.py" "" 4
