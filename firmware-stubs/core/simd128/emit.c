/* Stores of fewer than eight channels (emit.h): the last group of a layer whose channels are no multiple of eight. */
#include "emit.h"

void emit_store_part(int8_t *out, v128_t bytes, uint32_t count) {
  int8_t part[16];
  wasm_v128_store(part, bytes);
  for (uint32_t i = 0; i < count; i++) {
    out[i] = part[i];
  }
}

void emit_store_sums(int32_t *out, v128_t low, v128_t high, uint32_t count) {
  int32_t part[8];
  wasm_v128_store(part, low);
  wasm_v128_store(part + 4, high);
  for (uint32_t i = 0; i < count; i++) {
    out[i] = part[i];
  }
}
