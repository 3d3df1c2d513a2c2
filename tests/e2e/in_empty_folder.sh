#!/usr/bin/env bash
# Runs a command in a folder that is emptied before, and kept after for whoever wants to look.
set -euo pipefail
folder=$1
shift
if [[ -d $folder ]]; then chmod -R u+rwX "$folder"; fi
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
exec bash "$@"
