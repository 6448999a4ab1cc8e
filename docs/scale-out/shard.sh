#!/usr/bin/env bash
# Does shard $1 of $SHARDS of a campaign, or goes on with it. What a shard finds is no failure: the merge tells of it.
set -euo pipefail
shard=$1
part=${RUN:-run}/part-$shard
resume=
if [ -e "$part/run.jsonl" ]; then resume=--resume; fi
code=0
# $OPTIONS are several words.
# shellcheck disable=SC2086
"${CUTPOINT:-cutpoint}" campaign --count "${COUNT:-100000}" --seed "${SEED:-0}" --shard "$shard/${SHARDS:-16}" \
  --out "$part" $resume ${OPTIONS:-} || code=$?
[ "$code" -le 1 ] || exit "$code"
