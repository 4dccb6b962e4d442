/* puts() for self-tests of exported models on emulated chips. */
#include "../../firmware-stubs/bench/machine.h"

int puts(const char *text);

int puts(const char *text) {
  machine_print(text);
  machine_print("\n");
  return 0;
}
