#!/usr/bin/env bash
# Builds the fuzz targets and gives each a fixed number of inputs from one seed.
set -euo pipefail
cd "$(dirname "$0")/.."

targets=$(fuzz/build.sh)

# The target, the number of inputs, their longest, and the folders of the seeds.
run() {
  local target=$1 inputs=$2 longest=$3
  local seeds=("${@:4}")
  local new=target/fuzz-corpus/bounded-$target
  rm -rf "$new"
  mkdir -p "$new"
  printf '%s: %s inputs\n' "$target" "$inputs"
  "$targets/$target" -seed=1 -runs="$inputs" -max_len="$longest" -verbosity=0 -print_final_stats=1 \
    -artifact_prefix="target/fuzz-$target-" "$new" "${seeds[@]/#/corpus/fuzz/}"
}

run mount 1000000 8193 mount mount_repaired
run mount_repaired 100000 8193 mount_repaired mount
run operations 25000 536 operations
run commit 1000000 4097 commit
run case 30000 2048 case ../cases
