#!/usr/bin/env bash
# Joins the shards of a campaign. The exit code is that of the whole.
set -euo pipefail
run=${RUN:-run}
parts=()
for shard in $(seq "${SHARDS:-16}"); do parts+=("$run/part-$shard"); done
# Once more from the same parts comes to the same.
rm -rf "$run/whole"
exec "${CUTPOINT:-cutpoint}" merge "${parts[@]}" --out "$run/whole"
