// spikeport inspect: what is inside a .net, .evn or .onnx file or a TensorFlow.js model: nodes, shapes, scales.

import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { readBytes } from '../../files.js'
import { readEventnet } from '../../formats/eventnet/index.js'
import { readOnnx } from '../../formats/onnx-summary.js'
import { networkMacs } from '../../network/graph.js'
import { printNetwork } from '../../network/print.js'
import { eventnetText, onnxText } from '../inspect-text.js'
import { type Io, processIo } from '../io.js'
import { openNetwork } from '../networks.js'
import { finish } from '../options.js'

const inspectEventnet = (io: Io, bytes: Uint8Array, source: string): void => {
  const { constants, tunable, selfTest, ...document } = readEventnet(bytes, source)
  io.json({ ...document, bytes: bytes.length, constantBytes: constants.length, tunableBytes: tunable.length, hasSelfTest: selfTest !== null })
  io.print(eventnetText({ ...document, constants, tunable, selfTest }, bytes.length))
}

const inspectOnnx = (io: Io, bytes: Uint8Array, source: string): void => {
  const summary = readOnnx(bytes, source)
  io.json(summary)
  io.print(onnxText(summary))
}

const run = async (source: string, options: { json?: boolean }): Promise<void> => {
  const io = processIo(options.json === true)
  const isFile = existsSync(source)
  if (isFile && (source.endsWith('.evn') || source.endsWith('.onnx'))) {
    const bytes = await readBytes(source)
    if (source.endsWith('.evn')) inspectEventnet(io, bytes, source)
    else inspectOnnx(io, bytes, source)
    return
  }
  const network = await openNetwork(source)
  io.json({
    name: network.name,
    stage: network.stage,
    macs: networkMacs(network),
    inputs: network.inputs,
    outputs: network.outputs,
    values: network.values,
    nodes: network.nodes.map(({ kind, name, inputs, output }) => ({ kind, name, inputs, output })),
    labels: network.labels,
    metadata: network.metadata,
  })
  io.print(printNetwork(network).trimEnd())
}

export const registerInspect = (program: Command): void => {
  finish(
    program
      .command('inspect')
      .description('show the nodes, shapes and scales of a .net, .evn or .onnx file, or of a model.json')
      .argument('<file>', 'the file, or the name of a shipped model')
      .action(run),
    'spikeport inspect mnist-cnn',
  )
}
