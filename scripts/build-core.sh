#!/bin/sh
# Builds runtimes/wasm/core.wasm, the C core with SIMD128.
# usage: scripts/build-core.sh [output]
set -eu
cd "$(dirname "$0")/.."
sources=
for source in firmware-stubs/core/*.c firmware-stubs/core/simd128/*.c firmware-stubs/core/blocked/general_rows.c firmware-stubs/ports/wasm/*.c; do
  case $source in firmware-stubs/core/operators.c | firmware-stubs/core/spike_add.c) continue ;; esac # simd128/ has this build's own
  sources="$sources $source"
done
# shellcheck disable=SC2086
sh scripts/build-wasm.sh "${1:-runtimes/wasm/core.wasm}" 16384 $sources
