// src/onnx and exporters/onnx: what the document looks like, and what is refused.

import { describe, expect, it } from 'vitest'
import { onnxExporter } from '#exporters/onnx/index.js'
import { SpikeportError } from '#src/errors.js'
import { decodeOnnx, type OnnxModel } from '#src/formats/onnx.js'
import type { Network } from '#src/network/types.js'
import { LOWERING, lowerToOnnx } from '#src/onnx/lower.js'
import { DEFAULT_ONNX_OPTIONS } from '#src/onnx/options.js'
import { coarseStack } from '../../helpers/coarse-networks.js'
import { cnnNetwork, kwsNetwork, mlpNetwork, networkBuilder, randomNetwork, resnet8Network } from '../../helpers/networks.js'

const documentOf = (network: Network<'integer'>, options: Readonly<Record<string, string>> = {}): OnnxModel =>
  decodeOnnx(onnxExporter.export(network, options), 'x.onnx')
const count = (model: OnnxModel, operator: string): number => model.nodes.filter((node) => node.operator === operator).length
const shown = (model: OnnxModel): readonly string[] => [...model.inputs, ...model.outputs].map((v) => `${v.name} ${v.element}[${v.shape?.join(',')}]`)

const errorOf = (f: () => unknown): SpikeportError => {
  try {
    f()
  } catch (error) {
    if (error instanceof SpikeportError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('the exported document', () => {
  it('is operator set 13, IR 8, with a symbolic batch axis and real numbers in and out', () => {
    const model = documentOf(mlpNetwork(1))
    expect([model.irVersion, model.opsets]).toEqual([8, { '': 13 }])
    expect(shown(model)).toEqual(['input_0 float32[N,784]', 'dense_3 float32[N,10]'])
  })

  it('takes and gives stored integers where asked, and states their scales', () => {
    const model = documentOf(mlpNetwork(1), { input: 'uint8', output: 'uint8' })
    expect(shown(model)).toEqual(['input_0 uint8[N,784]', 'dense_3 uint8[N,10]'])
    expect(JSON.parse(model.metadata['spikeport.quantization.input_0'] ?? '')).toEqual({ scale: Math.fround(1 / 255), zeroPoint: 0 })
    expect(JSON.parse(model.metadata['spikeport.labels'] ?? '')).toHaveLength(10)
  })

  it('keeps the names of nodes and values', () => {
    const network = resnet8Network(1)
    const model = documentOf(network, { input: 'uint8', output: 'uint8' })
    const names = new Set([...model.inputs, ...model.outputs, ...model.values].map((value) => value.name))
    for (const value of network.values) expect(names).toContain(value.name)
    const nodes = new Set(model.nodes.map((node) => node.name))
    for (const node of network.nodes) expect(nodes).toContain(node.name)
  })

  it('names nothing twice', () => {
    for (let seed = 0; seed < 20; seed++) {
      for (const form of ['qlinear', 'qdq']) {
        const model = documentOf(randomNetwork(seed), { form })
        const written = [...model.inputs.map((v) => v.name), ...model.initializers.map((t) => t.name), ...model.nodes.flatMap((node) => node.outputs)]
        expect(new Set(written).size, `seed ${seed} ${form}`).toBe(written.length)
      }
    }
  })

  it('holds no constant that nothing reads', () => {
    for (const form of ['qlinear', 'qdq']) {
      const model = documentOf(cnnNetwork(1), { form })
      const read = new Set(model.nodes.flatMap((node) => node.inputs))
      expect(model.initializers.filter((tensor) => !read.has(tensor.name))).toEqual([])
    }
  })

  it('turns an image round once at most', () => {
    expect(count(documentOf(cnnNetwork(1)), 'Transpose')).toBe(0)
    expect(count(documentOf(kwsNetwork(1)), 'Transpose')).toBe(0)
    expect(count(documentOf(resnet8Network(1)), 'Transpose')).toBe(1)
  })

  it('permutes the weights of a dense layer behind a flattening instead of turning the image back', () => {
    const b = networkBuilder('flat', 3)
    const flat = b.flatten(b.conv2d(b.input([5, 4, 3]), 6, { kernel: [3, 3] }))
    expect(count(documentOf(b.build([b.dense(flat, 7)])), 'Transpose')).toBe(1)
    expect(count(documentOf(b.build([b.dense(flat, 7), flat])), 'Transpose')).toBe(2)
  })

  it('clips only where an emission asks for less than the type holds', () => {
    const b = networkBuilder('bounds', 3)
    const x = b.input([8])
    const free = b.dense(x, 4, { relu: true, quantization: { scale: 0.05, zeroPoint: -128 } })
    expect(count(documentOf(b.build([b.dense(free, 3)])), 'Clip')).toBe(0)
    const bounded = b.dense(x, 4, { relu: true, quantization: { scale: 0.05, zeroPoint: -20 } })
    expect(count(documentOf(b.build([free, b.dense(bounded, 3)])), 'Clip')).toBe(1)
  })

  it('stores uint8 weights with zero point 128 where asked', () => {
    const tensor = (weights: string, name: string) => documentOf(cnnNetwork(1), { weights }).initializers.find((t) => t.name === name)
    expect(Array.from(tensor('uint8', 'conv2d_0/weights_zero_point')?.data as Uint8Array)).toEqual(new Array(16).fill(128))
    const int8 = tensor('int8', 'conv2d_0/weights')?.data as Int8Array
    expect(Array.from(tensor('uint8', 'conv2d_0/weights')?.data as Uint8Array)).toEqual(Array.from(int8, (w) => w + 128))
  })
})

describe('refusals', () => {
  it('names an option that does not exist, and a choice that does not', () => {
    expect(errorOf(() => onnxExporter.export(mlpNetwork(1), { opset: '17' })).message).toBe('the ONNX exporter has no option "opset".')
    const wrong = errorOf(() => onnxExporter.export(mlpNetwork(1), { form: 'qoperator' }))
    expect([wrong.code, wrong.message, wrong.note]).toEqual(['USAGE', 'option form of the ONNX exporter is "qoperator".', 'Choose qlinear or qdq.'])
    expect(errorOf(() => onnxExporter.export(mlpNetwork(1), { form: 'qdq', dense: 'qgemm' })).message).toBe(
      'option dense=qgemm of the ONNX exporter does not go with form=qdq.',
    )
    expect(errorOf(() => onnxExporter.export(mlpNetwork(1), { toString: 'x' })).code).toBe('USAGE')
  })

  it('names the network that is not quantized or rounds otherwise', () => {
    const float = { ...mlpNetwork(1), stage: 'float' } as unknown as Network<'integer'>
    expect(errorOf(() => onnxExporter.export(float)).message).toBe('network "mlp" is in the float stage, ONNX export takes integer networks.')
    const tflite = { ...mlpNetwork(1), rounding: 'tflite' } as Network<'integer'>
    expect(errorOf(() => onnxExporter.export(tflite)).message).toBe('network "mlp" rounds as TensorFlow Lite, ONNX\'s integer operators round once.')
    expect(onnxExporter.export(tflite, { form: 'qdq' }).length).toBeGreaterThan(1000)
  })

  it('names the node that has no row', () => {
    const network = mlpNetwork(1)
    const node = { ...(network.nodes[0] as Network['nodes'][0]), kind: 'batchNorm' } as Network['nodes'][0]
    const error = errorOf(() => lowerToOnnx({ ...network, nodes: [node] }, DEFAULT_ONNX_OPTIONS))
    expect(error.code).toBe('UNSUPPORTED')
    expect(error.message).toMatch(/^batchNorm "dense_0": batch norm exists in the float stage only/)
  })

  it('names an average over windows too large to sum in float32', () => {
    const b = networkBuilder('wide', 1)
    const pool = b.averagePool(b.input([130, 130, 1]), { kernel: [129, 130], padding: 'valid' })
    expect(errorOf(() => onnxExporter.export(b.build([pool]))).message).toBe(
      'averagePool "averagePool_0" averages windows of 16770 elements, the ONNX exporter takes at most 16448.',
    )
  })

  it('refuses levels and signs in the qdq form by the layer that has them', () => {
    const options = { ...DEFAULT_ONNX_OPTIONS, form: 'qdq' as const }
    for (let seed = 1; seed <= 10; seed++) {
      const error = errorOf(() => lowerToOnnx(coarseStack(seed), options))
      expect([error.code, error.note]).toEqual(['UNSUPPORTED', 'Export it with form=qlinear, or quantize with scheme int8.'])
      expect(error.message).toMatch(/^conv2d ".*" works on (level|binary), for which ONNX's qdq form has no operators\.$/)
    }
  })

  it('has a row for every operator', () => {
    expect(Object.entries(LOWERING).flatMap(([kind, row]) => ('unsupported' in row ? [kind] : []))).toEqual([
      'batchNorm',
      'sign',
      'lif',
      'li',
      'carry',
      'timeSlice',
      'encode',
      'sumPool',
      'staircase',
    ])
  })
})
