/* Emission of cores without an FPU: a scale is taken apart once for four positions. */
#include "blocked.h"
#include "fast_scale.h"

void block_emit(const emission_t *e, const block_target_t *target, const block_sums_t *sums) {
  int8_t *out = e->out_s8 + target->index + target->channel;
  const uint32_t *scale = (const uint32_t *)(const void *)&e->scales[target->channel * e->scale_step];
  /* positions that are not there are written to position 0 first */
  const size_t step1 = target->count > 1 ? target->step : 0;
  const size_t step2 = target->count > 2 ? 2 * target->step : 0;
  const size_t step3 = target->count > 3 ? 3 * target->step : 0;
  const int32_t zero_point = e->zero_point, low = e->low, high = e->high;
  for (const block_sums_t *end = sums + target->channels; sums < end; sums++) {
    const fast_scale_t s = fast_scale(*scale);
    scale += e->scale_step;
    out[step3] = fast_scale_s8(sums->at[3], &s, zero_point, low, high);
    out[step2] = fast_scale_s8(sums->at[2], &s, zero_point, low, high);
    out[step1] = fast_scale_s8(sums->at[1], &s, zero_point, low, high);
    *out++ = fast_scale_s8(sums->at[0], &s, zero_point, low, high);
  }
}

void block_layer(const uint32_t *block, const block_weights_t *weights, const int32_t *bias, const emission_t *e, const block_target_t *target) {
  block_sums_t sums[BLOCK_CHANNELS];
  block_target_t group = *target;
  block_weights_t at = *weights;
  for (uint32_t left = target->channels; left > 0; left -= group.channels) {
    group.channels = least_of(BLOCK_CHANNELS, left);
    start_sums(bias == NULL ? NULL : bias + group.channel, group.channels, sums);
    block_dots(block, &at, group.channels, sums);
    block_emit(e, &group, sums);
    group.channel += group.channels;
    at.weights += group.channels * at.step;
  }
}
