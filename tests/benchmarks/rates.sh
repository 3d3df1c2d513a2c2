#!/usr/bin/env bash
# The bound of this machine for taking bytes in, one core, step by step. Use: SATCHEL=path/to/satchel rates.sh
set -euo pipefail
exec "$(dirname "$SATCHEL")/satchel-rates"
