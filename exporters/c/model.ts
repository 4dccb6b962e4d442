// The files made for one network: the API (model.h, model.c), the flash file as an array (network-data.h, .c), a stored sample (self-test.h), the
// program that runs it (main.c) and the build (CMakeLists.txt).

import type { EventnetDocument, EventnetValue } from '#src/formats/eventnet/index.js'
import type { Network, ValueType } from '#src/network/types.js'

/** What the files are made from. */
export interface Model {
  readonly network: Network<'integer'>
  readonly document: EventnetDocument
  /** the .evn file */
  readonly bytes: Uint8Array
  /** function of each node */
  readonly kernels: readonly string[]
  /** the header that declares them */
  readonly header: string
  /** version of this package */
  readonly version: string
}

const BYTES_A_LINE = 24
/** File offset of the table of sections, and a row's bytes (docs/eventnet.md). */
const SECTION_TABLE = 48
const SECTION_ROW = 16
const ARENA_ALIGNMENT = 16

/** Text of a network that cannot end a C comment or continue a line. */
const inComment = (text: string): string =>
  text
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/\*\/|\/\*/g, '**')
    .replace(/[\\?]/g, '-')

const arrayBody = (bytes: Uint8Array): string => {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += BYTES_A_LINE) {
    lines.push(`    ${Array.from(bytes.subarray(at, at + BYTES_A_LINE), (byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(',')},`)
  }
  return lines.join('\n')
}

const describeType = (type: ValueType): string => {
  const shape = `${type.kind} [${type.shape.join(', ')}]`
  return 'scales' in type ? `${shape}, scale ${type.scales[0]}, zero point ${type.zeroPoint}` : shape
}

const portLines = ({ network, document }: Model, word: 'INPUT' | 'OUTPUT'): string => {
  const ports = word === 'INPUT' ? network.inputs : network.outputs
  const lines = ports.map((port, i) => {
    const { name, type } = network.values[port] as { readonly name: string; readonly type: ValueType }
    const { byteCount } = document.values[port] as EventnetValue
    return `/* ${inComment(name)}: ${describeType(type)} */\n#define MODEL_${word}_${i}_BYTES ${byteCount}u`
  })
  return [`#define MODEL_${word}_COUNT ${ports.length}u`, ...lines].join('\n')
}

const labelLines = ({ labels }: Network): string => (labels.length === 0 ? '' : `/* labels: ${labels.map(inComment).join(', ')} */\n`)

/** A network over time can be run step by step: a stream whose states stay. */
const stepDeclarations = ({ time }: Network): string =>
  time === undefined
    ? ''
    : `
/* A run is model_start() and ${time.steps} times model_step(); streams call them themselves, with inputs written before each step. */
void model_start(const model_t *model);
void model_step(const model_t *model);
`

const PLAIN_RUN = `void model_run(const model_t *model) {
  for (uint32_t i = 0; i < MODEL_NODE_COUNT; i++) {
    KERNELS[i](&NETWORK, network_node(&NETWORK, i), model->arena, NULL, NULL);
  }
}`

const runFunctions = ({ time, values }: Network): string => {
  if (time === undefined) return PLAIN_RUN
  const clear = time.states.map(
    (state) =>
      `  set_zero(network_value(&NETWORK, model->arena, ${state}), NETWORK.values[${state}].byte_count); /* ${inComment(values[state]?.name ?? '')} */`,
  )
  return `static void set_zero(uint8_t *bytes, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    bytes[i] = 0;
  }
}

void model_start(const model_t *model) {
${clear.join('\n')}
}

${PLAIN_RUN.replace('model_run', 'model_step')}

void model_run(const model_t *model) {
  model_start(model);
  for (uint32_t step = 0; step < ${time.steps}u; step++) {
    model_step(model);
  }
}`
}

export const modelHeader = (
  model: Model,
): string => `/* Network "${inComment(model.network.name)}", exported by spikeport ${model.version}. The whole interface: no heap, no globals, no I/O; the caller owns the arena. */
#ifndef MODEL_H
#define MODEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that running needs, at an address that is a multiple of MODEL_ARENA_ALIGNMENT. */
#define MODEL_ARENA_BYTES ${Math.max(model.document.arenaBytes, 1)}u
#define MODEL_ARENA_ALIGNMENT ${ARENA_ALIGNMENT}u
#define MODEL_NODE_COUNT ${model.kernels.length}u

${portLines(model, 'INPUT')}

${portLines(model, 'OUTPUT')}
${labelLines(model.network)}
typedef struct {
  uint8_t *arena;
} model_t;

/* 0: ready; 1: the arena is not aligned. */
int model_init(model_t *model, void *arena);

/* Where input \`index\` is written before each run: MODEL_INPUT_<index>_BYTES bytes. A run may overwrite it. */
void *model_input(const model_t *model, uint32_t index);

void model_run(const model_t *model);
${stepDeclarations(model.network)}
/* Where output \`index\` lies after a run, until the next input is written. */
const void *model_output(const model_t *model, uint32_t index);

#ifdef __cplusplus
}
#endif

#endif
`

const kernelLines = ({ network, kernels }: Model): string =>
  kernels.map((kernel, i) => `    ${kernel}, /* ${inComment(network.nodes[i]?.name ?? '')} */`).join('\n')

/** Offsets of the graph, values, plan and tunable sections, as the header of the file states them. */
const sectionOffsets = (bytes: Uint8Array): Readonly<Record<'graph' | 'values' | 'plan' | 'tunable', number>> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const at = (row: number): number => view.getUint32(SECTION_TABLE + row * SECTION_ROW + 4, true)
  return { graph: at(0), values: at(1), plan: at(2), tunable: at(4) }
}

export const modelSource = (model: Model): string => {
  const { graph, values, plan, tunable } = sectionOffsets(model.bytes)
  const { inputs, outputs } = model.document
  const records = graph + Math.ceil((2 * (inputs.length + outputs.length)) / 4) * 4
  return `/* The network's nodes and the kernels they run; network-data.c was verified when it was exported, so nothing is checked here. */
#include "model.h"

#include "${model.header}"
#include "network-data.h"

#ifdef __FAST_MATH__
#error "-ffast-math changes results; build with -fno-fast-math -ffp-contract=off"
#endif

#define AT(type, offset) ((const type *)(const void *)(model_network + (offset)))

static const network_t NETWORK = {
    .bytes = model_network,
    .header = AT(header_t, 0),
    .values = AT(value_t, ${values}),
    .plan = AT(uint32_t, ${plan}),
    .inputs = AT(uint16_t, ${graph}),
    .outputs = AT(uint16_t, ${graph + 2 * inputs.length}),
    .records = AT(uint32_t, ${records}),
    .graph = AT(uint8_t, ${graph}),
    .tunable = AT(uint8_t, ${tunable}),
    .prepared = NULL,
};

typedef void (*kernel_t)(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch);

static const kernel_t KERNELS[MODEL_NODE_COUNT] = {
${kernelLines(model)}
};

int model_init(model_t *model, void *arena) {
  model->arena = arena;
  return (uintptr_t)arena % MODEL_ARENA_ALIGNMENT == 0 ? 0 : 1;
}

void *model_input(const model_t *model, uint32_t index) {
  return network_value(&NETWORK, model->arena, NETWORK.inputs[index]);
}

${runFunctions(model.network)}

const void *model_output(const model_t *model, uint32_t index) {
  return network_value(&NETWORK, model->arena, NETWORK.outputs[index]);
}
`
}

export const dataHeader = ({ bytes }: Model): string => `/* The network as a flash file (.evn), read in place. */
#ifndef MODEL_NETWORK_DATA_H
#define MODEL_NETWORK_DATA_H

#include <stdint.h>

#define MODEL_NETWORK_BYTES ${bytes.length}u

extern const uint8_t model_network[MODEL_NETWORK_BYTES];

#endif
`

export const dataSource = ({ bytes }: Model): string => `/* The network as a flash file (.evn), aligned to 16 bytes. */
#include "network-data.h"

_Alignas(16) const uint8_t model_network[MODEL_NETWORK_BYTES] = {
${arrayBody(bytes)}
};
`

const sampleArrays = (word: 'INPUT' | 'OUTPUT', samples: readonly Uint8Array[]): string =>
  samples.map((bytes, i) => `static const uint8_t SELF_TEST_${word}_${i}[MODEL_${word}_${i}_BYTES] = {\n${arrayBody(bytes)}\n};\n`).join('\n')

export const selfTestHeader = ({
  document,
}: Model): string => `/* One sample and the outputs that the definition gives for it (docs/arithmetic.md), for main.c alone. */
#ifndef SELF_TEST_H
#define SELF_TEST_H

#include "model.h"

${sampleArrays('INPUT', document.selfTest?.inputs ?? [])}
${sampleArrays('OUTPUT', document.selfTest?.outputs ?? [])}
#endif
`

export const mainSource = ({
  network,
}: Model): string => `/* Self-test and example: runs the stored sample and compares every output byte. Returns 0 where they are equal. */
#include <stdio.h>
#include <string.h>

#include "model.h"
#include "self-test.h"

static _Alignas(MODEL_ARENA_ALIGNMENT) uint8_t arena[MODEL_ARENA_BYTES];

static int output_differs(const model_t *model, uint32_t index, const uint8_t *expected, size_t bytes) {
  return memcmp(model_output(model, index), expected, bytes) != 0;
}

int main(void) {
  model_t model;
  if (model_init(&model, arena) != 0) {
    return 2;
  }
${network.inputs.map((_, i) => `  memcpy(model_input(&model, ${i}), SELF_TEST_INPUT_${i}, MODEL_INPUT_${i}_BYTES);`).join('\n')}
  model_run(&model);
  int differs = 0;
${network.outputs.map((_, i) => `  differs |= output_differs(&model, ${i}, SELF_TEST_OUTPUT_${i}, MODEL_OUTPUT_${i}_BYTES);`).join('\n')}
  puts(differs ? "self-test failed: the outputs differ" : "self-test passed");
  return differs;
}
`
