/* network_load(): verifies a flash file completely, so that running it needs no check and can neither read nor write outside the file and the
   arena. Time is O(nodes * values + constants); every sum of sizes is formed in 64 bits. */
#include "mem.h"
#include "crc32.h"
#include "operators.h"
#include "verify.h"

/* alignment is a power of two; bytes at most EVN_MAX_FILE_BYTES. */
static uint32_t align_up(uint32_t bytes, uint32_t alignment) {
  return (bytes + alignment - 1) & ~(alignment - 1);
}

static status_t verify_header(const header_t *h, size_t length) {
  static const uint8_t MAGIC[4] = {0x89, 'E', 'V', 'N'};
  VERIFY(memcmp(h->magic, MAGIC, sizeof MAGIC) == 0, STATUS_NOT_EVENTNET);
  VERIFY(h->mark == EVN_MARK, STATUS_BYTE_ORDER);
  VERIFY(h->version == EVN_VERSION, STATUS_VERSION);
  VERIFY(h->file_bytes >= sizeof *h && h->file_bytes <= length && h->file_bytes <= EVN_MAX_FILE_BYTES, STATUS_TRUNCATED);
  VERIFY(crc32_bytes((const uint8_t *)h + 16, h->file_bytes - 16) == h->crc32, STATUS_CHECKSUM);
  VERIFY(h->node_count <= EVN_MAX_NODES, STATUS_COUNT);
  VERIFY(h->value_count >= 1 && h->value_count <= EVN_MAX_VALUES, STATUS_COUNT);
  VERIFY(h->input_count >= 1 && h->input_count <= EVN_MAX_PORTS, STATUS_COUNT);
  VERIFY(h->output_count >= 1 && h->output_count <= EVN_MAX_PORTS, STATUS_COUNT);
  VERIFY(h->arena_bytes <= EVN_MAX_ARENA_BYTES, STATUS_PLAN);
  VERIFY(h->steps <= EVN_MAX_STEPS, STATUS_COUNT);
  return STATUS_OK;
}

/* Sections follow each other in order, without gaps but for alignment, and fill the file. */
static status_t verify_sections(const header_t *h) {
  VERIFY(h->section_count == SECTION_COUNT, STATUS_SECTION);
  uint32_t at = align_up(sizeof *h, EVN_ALIGNMENT);
  for (uint32_t i = 0; i < SECTION_COUNT; i++) {
    const section_t *s = &h->sections[i];
    VERIFY(s->kind == i + 1 && s->offset == at && at <= h->file_bytes && s->bytes <= h->file_bytes - at, STATUS_SECTION);
    at = align_up(at + s->bytes, EVN_ALIGNMENT);
  }
  VERIFY(at == h->file_bytes, STATUS_SECTION);
  VERIFY(h->sections[SECTION_VALUES].bytes == h->value_count * sizeof(value_t), STATUS_SECTION);
  VERIFY(h->sections[SECTION_PLAN].bytes == h->value_count * sizeof(uint32_t), STATUS_SECTION);
  return STATUS_OK;
}

/* Bytes of a value of each kind this core runs; 0: not yet. */
static uint32_t value_bytes(uint8_t kind, uint32_t elements) {
  switch (kind) {
    case VALUE_KIND_INT8:
    case VALUE_KIND_LEVEL:
      return elements;
    case VALUE_KIND_INT32:
    case VALUE_KIND_FLOAT32:
    case VALUE_KIND_MEMBRANE:
      return elements * 4;
    case VALUE_KIND_BINARY:
      return (elements + 31) / 32 * 4;
    default:
      return 0;
  }
}

static bool has_scale(uint8_t kind) {
  return kind == VALUE_KIND_INT8 || kind == VALUE_KIND_INT32;
}

static status_t verify_value(const value_t *v) {
  VERIFY(value_bytes(v->kind, 1) != 0 && v->rank <= 4, STATUS_VALUE);
  uint32_t elements = 1;
  for (uint32_t axis = 0; axis < 4; axis++) {
    const uint32_t length = v->shape[axis];
    VERIFY((axis < v->rank) == (length >= 1), STATUS_VALUE);
    VERIFY(length <= EVN_MAX_ELEMENTS / elements, STATUS_VALUE);
    elements *= axis < v->rank ? length : 1;
  }
  VERIFY(v->byte_count == value_bytes(v->kind, elements), STATUS_VALUE);
  VERIFY(v->kind == VALUE_KIND_LEVEL ? v->levels >= 1 && v->levels <= 255 : v->levels == 0, STATUS_VALUE);
  uint32_t scale_bits;
  memcpy(&scale_bits, &v->scale, 4);
  VERIFY(has_scale(v->kind) ? is_scale(scale_bits, true) : scale_bits == 0, STATUS_VALUE);
  VERIFY(v->kind == VALUE_KIND_INT8 ? v->zero_point >= -128 && v->zero_point <= 127 : v->zero_point == 0, STATUS_VALUE);
  return STATUS_OK;
}

static status_t verify_values(const network_t *net) {
  const header_t *h = net->header;
  for (uint32_t i = 0; i < h->value_count; i++) {
    const value_t *v = &net->values[i];
    TRY(verify_value(v));
    VERIFY(net->plan[i] % EVN_PLAN_ALIGNMENT == 0, STATUS_PLAN);
    VERIFY(net->plan[i] <= h->arena_bytes && v->byte_count <= h->arena_bytes - net->plan[i], STATUS_PLAN);
    VERIFY(v->first <= h->node_count, STATUS_LIFETIME);
    VERIFY(v->last >= v->first && (v->last <= h->node_count || v->last == EVN_FOREVER), STATUS_LIFETIME);
    VERIFY(v->state <= 1 && (v->state == 0 || (v->first == 0 && v->last == EVN_FOREVER)), STATUS_LIFETIME);
  }
  return STATUS_OK;
}

/* The lists of inputs and outputs, and the table of node records. */
static status_t verify_graph_head(const network_t *net) {
  const header_t *h = net->header;
  const uint32_t lists = ((uint32_t)h->input_count + h->output_count) * 2;
  const uint32_t head = align_up(lists, 4) + h->node_count * 4;
  VERIFY(head <= h->sections[SECTION_GRAPH].bytes, STATUS_RECORD);
  for (uint32_t i = 0; i < h->input_count; i++) {
    VERIFY(net->inputs[i] < h->value_count, STATUS_OPERAND);
    const value_t *input = &net->values[net->inputs[i]];
    VERIFY(input->first == 0 && input->state == 0 && (h->steps <= 1 || input->last == EVN_FOREVER), STATUS_OPERAND);
    for (uint32_t k = 0; k < i; k++) {
      VERIFY(net->inputs[i] != net->inputs[k], STATUS_OPERAND);
    }
  }
  uint32_t given = 0;
  for (uint32_t i = 0; i < h->value_count; i++) {
    given += net->values[i].first == 0 && net->values[i].state == 0;
  }
  VERIFY(given == h->input_count, STATUS_LIFETIME);
  for (uint32_t i = 0; i < h->output_count; i++) {
    VERIFY(net->outputs[i] < h->value_count && net->values[net->outputs[i]].last == EVN_FOREVER, STATUS_OPERAND);
  }
  return STATUS_OK;
}

/* Node records follow the table and each other without gaps. */
static status_t verify_records(const network_t *net) {
  const header_t *h = net->header;
  const uint32_t bytes = h->sections[SECTION_GRAPH].bytes;
  uint32_t at = align_up(((uint32_t)h->input_count + h->output_count) * 2, 4) + h->node_count * 4;
  for (uint32_t i = 0; i < h->node_count; i++) {
    VERIFY(net->records[i] == at && bytes - at >= sizeof(node_t), STATUS_RECORD);
    const node_t *node = network_node(net, i);
    VERIFY(node->record_bytes >= sizeof(node_t) && node->record_bytes % 4 == 0 && node->record_bytes <= bytes - at, STATUS_RECORD);
    at += node->record_bytes;
  }
  VERIFY(at == bytes, STATUS_RECORD);
  return STATUS_OK;
}

/* Value i of a node's inputs. Concat lists its inputs behind its fields; the record's length is checked first. */
static uint16_t input_at(const node_t *node, uint32_t i) {
  if (node->operator != OPERATOR_CONCAT) {
    return node->inputs[i];
  }
  const concat_fields_t *f = node_fields(node);
  return ((const concat_part_t *)(const void *)(f + 1))[i].value;
}

static status_t verify_operands(const network_t *net, const node_t *node, uint32_t index) {
  const uint32_t most = node->operator == OPERATOR_CONCAT ? EVN_MAX_PORTS : 2;
  VERIFY(node->input_count >= 1 && node->input_count <= most, STATUS_OPERAND);
  if (node->operator == OPERATOR_CONCAT) {
    VERIFY(node->record_bytes == sizeof *node + sizeof(concat_fields_t) + node->input_count * sizeof(concat_part_t), STATUS_RECORD);
  }
  VERIFY(node->inputs[0] < net->header->value_count && node->inputs[1] < net->header->value_count, STATUS_OPERAND);
  VERIFY(node->output < net->header->value_count, STATUS_OPERAND);
  VERIFY(net->values[node->output].first == index + 1 || net->values[node->output].state == 1, STATUS_LIFETIME);
  for (uint32_t i = 0; i < node->input_count; i++) {
    const uint16_t input = input_at(node, i);
    VERIFY(input < net->header->value_count, STATUS_OPERAND);
    VERIFY(net->values[input].first <= index && net->values[input].last >= index + 1, STATUS_LIFETIME);
  }
  return STATUS_OK;
}

static bool overlap(const network_t *net, uint32_t a, uint32_t b) {
  const uint32_t start_a = net->plan[a], start_b = net->plan[b];
  return start_a < start_b + net->values[b].byte_count && start_b < start_a + net->values[a].byte_count;
}

/* True where the output may grow into this value: an input that nothing reads later, far enough behind the output's start. */
static bool may_overlap(const network_t *net, const node_t *node, uint32_t index, uint32_t value) {
  const operator_t *operator = operator_find(node->operator);
  uint32_t uses = 0, position = 0;
  for (uint32_t i = 0; i < node->input_count; i++) {
    if (input_at(node, i) == value) {
      uses++;
      position = i;
    }
  }
  if (operator->overlap == NULL || uses != 1 || net->values[value].last != index + 1) {
    return false;
  }
  const uint64_t distance = operator->overlap(net, node, position);
  return distance <= EVN_MAX_ARENA_BYTES && net->plan[node->output] + distance <= net->plan[value];
}

/* While a node runs, its output overlaps nothing that is still needed, but for inputs it may grow into. */
static status_t verify_overlaps(const network_t *net, uint32_t index) {
  const node_t *node = network_node(net, index);
  for (uint32_t v = 0; v < net->header->value_count; v++) {
    const value_t *value = &net->values[v];
    if (v == node->output || value->first > index || value->last < index + 1 || !overlap(net, v, node->output)) {
      continue;
    }
    VERIFY(may_overlap(net, node, index, v), STATUS_OVERLAP);
  }
  return STATUS_OK;
}

/* What is there before the first node, inputs and states, lies apart. */
static status_t verify_given_overlaps(const network_t *net) {
  for (uint32_t i = 0; i < net->header->value_count; i++) {
    for (uint32_t k = 0; k < i && net->values[i].first == 0; k++) {
      VERIFY(net->values[k].first != 0 || !overlap(net, i, k), STATUS_OVERLAP);
    }
  }
  return STATUS_OK;
}

static status_t verify_nodes(const network_t *net) {
  uint32_t written = 0;
  for (uint32_t i = 0; i < net->header->node_count; i++) {
    const node_t *node = network_node(net, i);
    const operator_t *operator = operator_find(node->operator);
    VERIFY(operator != NULL, STATUS_OPERATOR);
    VERIFY(operator_has_rounding(operator, net->header->rounding), STATUS_ROUNDING);
    TRY(verify_operands(net, node, i));
    TRY(operator->verify(net, node));
    TRY(verify_overlaps(net, i));
    written += net->values[node->output].first != 0;
  }
  /* Each value that is neither input nor state names its node; nodes have distinct outputs because each was compared with its own index. */
  for (uint32_t i = 0; i < net->header->value_count; i++) {
    written -= net->values[i].first != 0;
  }
  VERIFY(written == 0, STATUS_LIFETIME);
  return STATUS_OK;
}

/* Inputs and outputs, or outputs alone where every input is int8: then network_self_test() makes the inputs. */
static status_t verify_self_test(const network_t *net) {
  const header_t *h = net->header;
  const uint32_t stored = h->sections[SECTION_SELF_TEST].bytes;
  uint64_t input_bytes = 0, output_bytes = 0;
  bool all_s8 = true;
  for (uint32_t i = 0; i < h->input_count; i++) {
    const value_t *input = &net->values[net->inputs[i]];
    input_bytes += align_up(input->byte_count, 4);
    all_s8 = all_s8 && input->kind == VALUE_KIND_INT8;
  }
  for (uint32_t i = 0; i < h->output_count; i++) {
    output_bytes += align_up(net->values[net->outputs[i]].byte_count, 4);
  }
  VERIFY(stored == 0 || stored == input_bytes + output_bytes || (all_s8 && input_bytes <= EVN_MAX_MADE_INPUT && stored == output_bytes), STATUS_SELF_TEST);
  return STATUS_OK;
}

/* Points into the file; valid once the sections are verified. */
static void locate(network_t *net) {
  const header_t *h = net->header;
  net->graph = net->bytes + h->sections[SECTION_GRAPH].offset;
  net->values = (const value_t *)(const void *)(net->bytes + h->sections[SECTION_VALUES].offset);
  net->plan = (const uint32_t *)(const void *)(net->bytes + h->sections[SECTION_PLAN].offset);
  net->tunable = net->bytes + h->sections[SECTION_TUNABLE].offset;
  net->inputs = (const uint16_t *)(const void *)net->graph;
  net->outputs = net->inputs + h->input_count;
  const uint32_t lists = ((uint32_t)h->input_count + h->output_count) * 2;
  net->records = (const uint32_t *)(const void *)(net->graph + align_up(lists, 4));
}

status_t network_load(network_t *net, const uint8_t *bytes, size_t length) {
  VERIFY(length >= sizeof(header_t), STATUS_TRUNCATED);
  VERIFY((uintptr_t)bytes % EVN_ALIGNMENT == 0, STATUS_MISALIGNED);
  memset(net, 0, sizeof *net);
  net->bytes = bytes;
  net->header = (const header_t *)(const void *)bytes;
  TRY(verify_header(net->header, length));
  TRY(verify_sections(net->header));
  locate(net);
  TRY(verify_values(net));
  TRY(verify_graph_head(net));
  TRY(verify_records(net));
  TRY(verify_given_overlaps(net));
  TRY(verify_nodes(net));
  return verify_self_test(net);
}
