/* Shared checks of node records (verify.h). Products are formed in 64 bits from fields of at most 32, so none can wrap. */
#include "verify.h"

#include "mem.h"
#include "operators.h"

#define INT32_LIMIT 0x80000000u

static bool lies_in(const section_t *section, uint32_t offset, uint64_t bytes) {
  return offset >= section->offset && offset - section->offset <= section->bytes && bytes <= section->bytes - (offset - section->offset);
}

status_t verify_constant(const network_t *net, uint32_t offset, uint64_t count, uint32_t size) {
  VERIFY(offset % size == 0, STATUS_CONSTANT);
  VERIFY(count >= 1 && count <= UINT32_MAX, STATUS_CONSTANT);
  const section_t *sections = net->header->sections;
  VERIFY(lies_in(&sections[SECTION_CONSTANTS], offset, count * size) || lies_in(&sections[SECTION_TUNABLE], offset, count * size), STATUS_CONSTANT);
  return STATUS_OK;
}

status_t verify_record(const node_t *node, uint32_t fields_bytes) {
  static const uint8_t EMISSION_BYTES[EMISSION_LIMIT] = {
      [EMISSION_NONE] = 0,
      [EMISSION_REQUANTIZE] = sizeof(requantize_fields_t),
      [EMISSION_REQUANTIZE_BY_COUNT] = sizeof(requantize_by_count_fields_t),
      [EMISSION_ROUND] = sizeof(round_fields_t),
      [EMISSION_THRESHOLDS] = sizeof(thresholds_fields_t),
  };
  VERIFY(node->emission < EMISSION_LIMIT, STATUS_EMISSION);
  VERIFY(node->record_bytes == sizeof(node_t) + fields_bytes + EMISSION_BYTES[node->emission], STATUS_RECORD);
  return STATUS_OK;
}

/* Taps are at most EVN_MAX_ELEMENTS, a sum at most 2^35: it stops growing where it can fit no limit. */
static uint32_t sum_magnitudes(const int8_t *weights, uint32_t taps, uint32_t step) {
  uint32_t sum = 0;
  for (; taps > 0 && sum < INT32_LIMIT; taps--, weights += step) {
    const int32_t w = *weights;
    sum += (uint32_t)(w < 0 ? -w : w);
  }
  return sum;
}

static uint32_t bias_magnitude(const int32_t *bias, uint32_t channel) {
  if (bias == NULL) {
    return 0;
  }
  const uint32_t b = (uint32_t)bias[channel];
  return bias[channel] < 0 ? 0u - b : b;
}

status_t verify_weights(const network_t *net, const weights_view_t *view) {
  const int32_t zero_point = view->input_zero_point;
  return verify_sums(net, view, (uint64_t)(zero_point < 0 ? 127 - zero_point : zero_point + 128));
}

status_t verify_sums(const network_t *net, const weights_view_t *view, uint64_t most) {
  TRY(verify_constant(net, view->offset, (uint64_t)view->channels * view->taps, 1));
  const int32_t *bias = NULL;
  if (view->bias != 0) {
    TRY(verify_constant(net, view->bias, view->channels, 4));
    bias = (const int32_t *)(const void *)network_constant(net, view->bias);
  }
  const int8_t *weights = (const int8_t *)network_constant(net, view->offset);
  const uint32_t taps = (uint32_t)view->taps, step = (uint32_t)view->tap_step, factor = (uint32_t)most; /* the weights lie in the file: nothing is cut off */
  for (uint32_t c = 0; c < view->channels; c++, weights += view->channel_step) {
    const uint64_t sum = sum_magnitudes(weights, taps, step);
    VERIFY(bias_magnitude(bias, c) + sum * factor < INT32_LIMIT, STATUS_SUM_OVERFLOW);
  }
  return STATUS_OK;
}

status_t verify_input_s8(const network_t *net, const node_t *node, uint32_t input, uint64_t count, int32_t zero_point) {
  const value_t *value = node_input(net, node, input);
  VERIFY(value->kind == VALUE_KIND_INT8 && value->byte_count == count && value->zero_point == zero_point, STATUS_OPERAND);
  return STATUS_OK;
}

/* All of 16 bits, so that 32 hold every product. */
static bool window_fits(uint32_t size, uint32_t out, uint32_t kernel, uint32_t stride, uint32_t dilation, uint32_t before, uint32_t after) {
  if (size == 0 || out == 0 || kernel == 0 || stride == 0 || dilation == 0) {
    return false;
  }
  const uint32_t extent = dilation * (kernel - 1) + 1;
  const uint32_t padded = size + before + after;
  if (extent > padded || before >= extent || after >= extent) {
    return false;
  }
  const uint32_t room = padded - extent; /* out = room / stride + 1, without a division */
  return (out - 1) * stride <= room && room < out * stride;
}

status_t verify_geometry(const geometry_t *g) {
  VERIFY(g->input_channels != 0 && g->output_channels != 0, STATUS_GEOMETRY);
  VERIFY(window_fits(g->input_height, g->output_height, g->kernel_height, g->stride_y, g->dilation_y, g->pad_top, g->pad_bottom), STATUS_GEOMETRY);
  VERIFY(window_fits(g->input_width, g->output_width, g->kernel_width, g->stride_x, g->dilation_x, g->pad_left, g->pad_right), STATUS_GEOMETRY);
  return STATUS_OK;
}

status_t verify_scales(const network_t *net, uint32_t offset, uint32_t count) {
  TRY(verify_constant(net, offset, count, 4));
  const uint8_t *scales = network_constant(net, offset);
  for (uint32_t i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, scales + 4 * (size_t)i, 4);
    VERIFY(is_scale(bits, false), STATUS_EMISSION);
  }
  return STATUS_OK;
}

status_t verify_multipliers(const network_t *net, uint32_t offset, uint32_t count) {
  VERIFY(offset % 4 == 0, STATUS_CONSTANT);
  TRY(verify_constant(net, offset, (uint64_t)count * 5, 1));
  const uint8_t *constant = network_constant(net, offset);
  const int32_t *factors = (const int32_t *)(const void *)constant;
  const int8_t *shifts = (const int8_t *)constant + (size_t)count * 4;
  for (uint32_t i = 0; i < count; i++) {
    VERIFY(factors[i] >= 0 && shifts[i] >= -31 && shifts[i] <= 30, STATUS_EMISSION);
  }
  return STATUS_OK;
}

status_t verify_bounds(const network_t *net, const node_t *node, int32_t zero_point, int32_t low, int32_t high) {
  const value_t *out = node_output(net, node);
  VERIFY(out->kind == VALUE_KIND_INT8 && out->zero_point == zero_point, STATUS_OPERAND);
  VERIFY(low >= -128 && low <= high && high <= 127, STATUS_EMISSION);
  return STATUS_OK;
}

static status_t verify_requantize(const network_t *net, const node_t *node, const requantize_fields_t *f, uint32_t channels, uint64_t count) {
  VERIFY(node_output(net, node)->byte_count == count, STATUS_OPERAND);
  VERIFY(f->scale_count == 1 || f->scale_count == channels, STATUS_EMISSION);
  TRY((net->header->rounding == EVN_ROUNDING_TFLITE ? verify_multipliers : verify_scales)(net, f->scales, f->scale_count));
  return verify_bounds(net, node, f->zero_point, f->low, f->high);
}

status_t verify_emission(const network_t *net, const node_t *node, uint32_t fields_bytes, uint32_t channels, uint64_t count) {
  TRY(verify_record(node, fields_bytes));
  const void *fields = (const uint8_t *)(node + 1) + fields_bytes;
  if (node->emission == EMISSION_REQUANTIZE) {
    return verify_requantize(net, node, fields, channels, count);
  }
  VERIFY(node->emission == EMISSION_NONE, STATUS_EMISSION);
  const value_t *out = node_output(net, node);
  VERIFY(out->kind == VALUE_KIND_INT32 && out->byte_count == count * 4, STATUS_OPERAND);
  return STATUS_OK;
}

uint64_t overlap_elementwise(const network_t *net, const node_t *node, uint32_t input) {
  return node_input(net, node, input)->byte_count == node_output(net, node)->byte_count ? 0 : NEVER;
}

/* The geometry is the first field of every operator with a window. */
uint64_t overlap_rows(const network_t *net, const node_t *node, uint32_t input) {
  const geometry_t *g = (const void *)(node + 1);
  if (node_input(net, node, input)->kind == VALUE_KIND_BINARY || node_output(net, node)->kind == VALUE_KIND_BINARY) {
    return NEVER; /* rows of packed elements do not end at bytes */
  }
  const uint64_t input_row = node_input(net, node, input)->byte_count / g->input_height;
  const uint64_t output_row = node_output(net, node)->byte_count / g->output_height;
  uint64_t distance = 0;
  for (uint32_t y = 0; y < g->output_height; y++) {
    const uint64_t written = (y + 1) * output_row;
    const uint32_t top = y * g->stride_y;
    const uint64_t kept = top > g->pad_top ? (top - g->pad_top) * input_row : 0;
    const uint64_t needed = written > kept ? written - kept : 0;
    distance = needed > distance ? needed : distance;
  }
  return distance;
}
