#!/bin/sh
# Builds runtimes/wasm/features.wasm, FEAST in fixed point.
# usage: scripts/build-features.sh [output]
set -eu
cd "$(dirname "$0")/.."
sh scripts/build-wasm.sh "${1:-runtimes/wasm/features.wasm}" 16384 \
  firmware-stubs/features/feast.c firmware-stubs/features/feast_wide.c firmware-stubs/features/simd128/feast_kernels.c \
  firmware-stubs/ports/wasm-features/exports.c firmware-stubs/ports/wasm/memory.c
