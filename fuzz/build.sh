#!/usr/bin/env bash
# Builds the fuzz targets on stable Rust without cargo-fuzz, and prints where they are.
set -euo pipefail
cd "$(dirname "$0")/.."

# An explicit target keeps build scripts and procedural macros free of the coverage instrumentation. The branch folding
# is off because merged comparisons hide the steps that lead a fuzzer to a match.
target=$(rustc -vV | sed -n 's/^host: //p')
passes=(
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
  -Cllvm-args=-simplifycfg-branch-fold-threshold=0
)
directory=${CARGO_TARGET_DIR:-target}/fuzz
RUSTFLAGS="--cfg fuzzing ${passes[*]} -Ccodegen-units=1 -Cdebug-assertions -Coverflow-checks" \
  cargo build --release --package cutpoint-fuzz --target "$target" --target-dir "$directory"
echo "$directory/$target/release"
