#!/bin/sh
# Builds runtimes/wasm/tune.wasm, the unit-resolved costs of PolyStep.
# usage: scripts/build-tune.sh [output]
set -eu
cd "$(dirname "$0")/.."
sh scripts/build-wasm.sh "${1:-runtimes/wasm/tune.wasm}" 32768 \
  firmware-stubs/tune/*.c firmware-stubs/ports/wasm-tune/exports.c firmware-stubs/ports/wasm/memory.c
