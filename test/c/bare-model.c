/* The least program around an exported model, for measuring code: one input byte in, one output byte out. */
#include "model.h"

int main(void);

static _Alignas(MODEL_ARENA_ALIGNMENT) uint8_t arena[MODEL_ARENA_BYTES];

int main(void) {
  model_t model;
  if (model_init(&model, arena) != 0) {
    return 1;
  }
  *(volatile uint8_t *)model_input(&model, 0) = 1;
  model_run(&model);
  return *(const volatile uint8_t *)model_output(&model, 0);
}
