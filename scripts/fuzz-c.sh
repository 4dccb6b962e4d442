#!/bin/sh
# Fuzzes the C loader and the device half of the protocol with libFuzzer, ASan and UBSan (Debian: clang-14 libclang-rt-14-dev).
# usage: scripts/fuzz-c.sh seconds [loader|protocol] [extra libFuzzer options]; new inputs and findings go to build/fuzz/
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
targets=${2:-loader protocol}
[ $# -ge 1 ] && shift
[ $# -ge 1 ] && shift
for target in $targets; do
  mkdir -p "build/fuzz/$target"
  clang-14 -std=c11 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -ffp-contract=off \
    firmware-stubs/core/*.c firmware-stubs/protocol/*.c "test/c/fuzz-$target.c" -o "build/fuzz/fuzz-$target"
  "build/fuzz/fuzz-$target" -max_total_time="$seconds" -artifact_prefix="build/fuzz/$target-" -print_final_stats=1 "$@" "build/fuzz/$target" "test/c/corpus-$target"
done
