// The text of firmware-stubs/tune/tables.h: the tables of the integer cross-entropy as C arrays.

import { EXP_HIGH, EXP_LOW, LOG_TABLE } from '#src/tune/units/cross-entropy.js'

const arrayText = (type: string, name: string, values: ArrayLike<number>): string => {
  const lines: string[] = []
  for (let i = 0; i < values.length; i += 12)
    lines.push(
      `    ${Array.from(values)
        .slice(i, i + 12)
        .join(', ')},`,
    )
  return `static const ${type} ${name}[${values.length}] = {\n${lines.join('\n')}\n};\n`
}

/** The whole header. */
export const tuneTables = (): string =>
  [
    '/* Tables of the integer cross-entropy, written by scripts/generate-tune-tables.ts: exp(-i / 32) in Q30, exp(-j / 1024) in Q15 and\n   ln(1 + i / 256) in Q16. */',
    '#ifndef SPIKEPORT_TUNE_TABLES_H\n#define SPIKEPORT_TUNE_TABLES_H\n\n#include <stdint.h>\n',
    arrayText('uint32_t', 'TUNE_EXP_HIGH', EXP_HIGH),
    arrayText('uint32_t', 'TUNE_EXP_LOW', EXP_LOW),
    arrayText('uint32_t', 'TUNE_LOG', LOG_TABLE),
    '#endif\n',
  ].join('\n')
