#!/usr/bin/env bash
# A thousand histories of boxes that are copied and put back; each seed is a world of its own.
set -euo pipefail
exec "$SATCHEL_BUILD/satchel-sim" clones --seeds 1000
