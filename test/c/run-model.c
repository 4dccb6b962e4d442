/* Runs an exported model over samples on this machine: run-model inputs.bin expected.bin. Both files hold samples one after the other, the ports of a
   sample one after the other; the build defines INPUT_SIZES and OUTPUT_SIZES, the bytes of each port. Prints how many output bytes differ. */
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

static const size_t INPUT_BYTES[MODEL_INPUT_COUNT] = {INPUT_SIZES};
static const size_t OUTPUT_BYTES[MODEL_OUTPUT_COUNT] = {OUTPUT_SIZES};

/* of exactly the stated size, so that a sanitizer sees an access beyond it */
static _Alignas(MODEL_ARENA_ALIGNMENT) uint8_t arena[MODEL_ARENA_BYTES];

static FILE *open_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    fprintf(stderr, "cannot read %s\n", path);
    exit(2);
  }
  return file;
}

/* False at the end of the file. */
static int read_sample(FILE *file, const model_t *model) {
  for (uint32_t i = 0; i < MODEL_INPUT_COUNT; i++) {
    if (fread(model_input(model, i), 1, INPUT_BYTES[i], file) != INPUT_BYTES[i]) {
      return 0;
    }
  }
  return 1;
}

static size_t compare_sample(FILE *file, const model_t *model) {
  size_t differing = 0;
  for (uint32_t i = 0; i < MODEL_OUTPUT_COUNT; i++) {
    const uint8_t *out = model_output(model, i);
    for (size_t k = 0; k < OUTPUT_BYTES[i]; k++) {
      differing += fgetc(file) != out[k];
    }
  }
  return differing;
}

int main(int count, char **paths) {
  if (count != 3) {
    return 2;
  }
  model_t model;
  if (model_init(&model, arena) != 0 || model_init(&model, arena + 1) != 1) {
    return 2;
  }
  (void)model_init(&model, arena);
  FILE *inputs = open_file(paths[1]), *expected = open_file(paths[2]);
  size_t samples = 0, differing = 0;
  for (; read_sample(inputs, &model); samples++) {
    model_run(&model);
    differing += compare_sample(expected, &model);
  }
  differing += fgetc(expected) != EOF;
  fclose(inputs);
  fclose(expected);
  printf("%zu samples, %zu bytes differ\n", samples, differing);
  return differing == 0 ? 0 : 1;
}
