/* depthwise of a chip: the chip's kernel where it applies (depthwise_is_unit), otherwise the plain one. A table for one network can list the first
   alone. */
#include "blocked.h"
#include "../verify.h"

status_t depthwise_unit_verify(const network_t *net, const node_t *node) {
  TRY(depthwise_verify(net, node));
  const conv_fields_t *f = node_fields(node);
  VERIFY(depthwise_is_unit(&f->geometry), STATUS_OPERATOR);
  return STATUS_OK;
}

void depthwise_blocked(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  const conv_fields_t *f = node_fields(node);
  (depthwise_is_unit(&f->geometry) ? depthwise_unit : depthwise_s8)(net, node, arena, prepared, scratch);
}
