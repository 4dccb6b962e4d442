/* generalDense in SIMD128 where inputs and weights are packed and rows start at words: 128 products by one xor and one count of ones.
   Everything else runs on the plain kernel. */
#include "../emission.h"
#include "../general.h"
#include "simd128.h"

#include <wasm_simd128.h>

/* Vectors whose counts fit 8 bits together: 31 * 8 <= 255. */
#define MOST_VECTORS 31u

/* Bits that differ among `vectors` vectors of 128. */
static uint32_t vectors_differing(const uint8_t *a, const uint8_t *b, uint32_t vectors) {
  v128_t total = wasm_i32x4_splat(0);
  while (vectors > 0) {
    const uint32_t group = vectors < MOST_VECTORS ? vectors : MOST_VECTORS;
    v128_t counts = wasm_i8x16_splat(0);
    for (uint32_t i = 0; i < group; i++) {
      counts = wasm_i8x16_add(counts, wasm_i8x16_popcnt(wasm_v128_xor(wasm_v128_load(a + 16 * i), wasm_v128_load(b + 16 * i))));
    }
    total = wasm_i32x4_add(total, wasm_u32x4_extadd_pairwise_u16x8(wasm_u16x8_extadd_pairwise_u8x16(counts)));
    a += 16 * group;
    b += 16 * group;
    vectors -= group;
  }
  return (uint32_t)(wasm_i32x4_extract_lane(total, 0) + wasm_i32x4_extract_lane(total, 1) + wasm_i32x4_extract_lane(total, 2) +
                    wasm_i32x4_extract_lane(total, 3));
}

void general_dense_simd(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  const general_dense_fields_t *f = node_fields(node);
  const dense_fields_t *l = &f->layer;
  const bool is_packed = f->weights_kind == VALUE_KIND_BINARY && net->values[node->inputs[0]].kind == VALUE_KIND_BINARY;
  if (!is_packed || l->input_size % 32 != 0) {
    general_dense(net, node, arena, prepared, scratch);
    return;
  }
  const general_emission_t emission = general_emission_of(net, node, sizeof *f, arena);
  const uint8_t *x = network_value(net, arena, node->inputs[0]);
  const uint8_t *w = network_constant(net, l->weights);
  const int32_t *bias = bias_of(net, l->bias);
  const uint32_t vectors = l->input_size / 128, rest = l->input_size % 128, row = l->input_size / 8;
  for (uint32_t o = 0; o < l->units; o++) {
    const uint8_t *behind = w + 16 * vectors;
    const uint32_t differ = vectors_differing(x, w, vectors) +
                            bits_differing((const uint32_t *)(const void *)(x + 16 * vectors), 0, (const uint32_t *)(const void *)behind, 0, rest);
    general_emit(&emission, o, o, (bias == NULL ? 0 : bias[o]) + (int32_t)l->input_size - 2 * (int32_t)differ);
    w += row;
  }
}
