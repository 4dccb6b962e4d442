#!/bin/sh
# Builds runtimes/wasm/features.wasm (FEAST in fixed point) from firmware-stubs with clang 14 (Debian: clang-14 lld-14). The same sources give the same bytes.
# usage: scripts/build-features.sh [output]
set -eu
cd "$(dirname "$0")/.."
output=${1:-runtimes/wasm/features.wasm}
CC=${CC:-clang-14}
LD=${WASM_LD:-wasm-ld-14}
for tool in "$CC" "$LD"; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install clang-14 lld-14" >&2; exit 1; }
done
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
flags="--target=wasm32 -std=c11 -O3 -msimd128 -mbulk-memory -msign-ext -mnontrapping-fptoint -nostdlib -ffreestanding
  -Wall -Wextra -Wconversion -Wdouble-promotion -Werror -ffp-contract=off -fno-fast-math -fno-strict-aliasing -fvisibility=hidden"
for source in firmware-stubs/features/feast.c firmware-stubs/features/feast_wide.c firmware-stubs/features/simd128/feast_kernels.c \
  firmware-stubs/ports/wasm-features/exports.c firmware-stubs/ports/wasm/memory.c; do
  # shellcheck disable=SC2086
  "$CC" $flags -c "$source" -o "$objects/$(basename "$source" .c).o"
done
"$LD" --no-entry --strip-all --gc-sections --stack-first -z stack-size=16384 --initial-memory=131072 \
  --export=__heap_base -o "$output" "$objects"/*.o
