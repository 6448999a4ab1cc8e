#!/usr/bin/env bash
# A campaign in shards with GNU parallel: as many at a time as there are processors, or as --jobs in $PARALLEL says.
# README.md has the settings. Over ssh: PARALLEL='--sshlogin a,b --workdir .' with a folder that all of them share.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export COUNT SEED SHARDS RUN OPTIONS CUTPOINT
: "${CUTPOINT:=cutpoint}" "${COUNT:=100000}" "${SEED:=0}" "${SHARDS:=16}" "${RUN:=run}" "${OPTIONS:=}"
mkdir -p "$RUN"
# One thread for each shard: the shards are what keeps the processors busy.
OPTIONS="--jobs 1 --quiet $OPTIONS"
seq "$SHARDS" | parallel --joblog "$RUN/jobs.log" --halt soon,fail=1 "$here/shard.sh" {} '>' "$RUN/part-{}.txt"
exec "$here/merge.sh"
