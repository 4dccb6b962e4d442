#!/bin/sh
# Builds one wasm module with clang 14 (Debian: clang-14 lld-14): what build-core.sh, build-tune.sh and build-features.sh share. The same sources give
# the same bytes.
# usage: scripts/build-wasm.sh <output> <bytes of stack> <source> ...
set -eu
output=$1
stack=$2
shift 2
CC=${CC:-clang-14}
LD=${WASM_LD:-wasm-ld-14}
for tool in "$CC" "$LD"; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install clang-14 lld-14" >&2; exit 1; }
done
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
flags="--target=wasm32 -std=c11 -O3 -msimd128 -mbulk-memory -msign-ext -mnontrapping-fptoint -nostdlib -ffreestanding
  -Wall -Wextra -Wconversion -Wdouble-promotion -Werror -ffp-contract=off -fno-fast-math -fno-strict-aliasing -fvisibility=hidden"
for source in "$@"; do
  # shellcheck disable=SC2086
  "$CC" $flags -c "$source" -o "$objects/$(basename "$(dirname "$source")")-$(basename "$source" .c).o"
done
"$LD" --no-entry --strip-all --gc-sections --stack-first -z "stack-size=$stack" --initial-memory=131072 \
  --export=__heap_base -o "$output" "$objects"/*.o
