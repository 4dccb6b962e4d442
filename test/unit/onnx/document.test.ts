// src/formats/onnx.ts: bytes <-> document, and bytes that are not to be trusted.

import { describe, expect, it } from 'vitest'
import { onnxExporter } from '#exporters/onnx/index.js'
import { MalformedFileError } from '#src/errors.js'
import { decodeOnnx, encodeOnnx, type OnnxModel } from '#src/formats/onnx.js'
import { readOnnx } from '#src/formats/onnx-summary.js'
import { networkBuilder, testRandom } from '../../helpers/networks.js'

const smallBytes = (): Uint8Array => {
  const b = networkBuilder('small', 1)
  const x = b.conv2d(b.input([4, 4, 2]), 3, { kernel: [3, 3], relu: true })
  return onnxExporter.export(b.build([b.softmax(b.dense(b.flatten(x), 4))], ['a', 'b', 'c', 'd']))
}

const everyElement: OnnxModel = {
  irVersion: 8,
  opsets: { '': 13, 'com.microsoft': 1 },
  producer: 'test',
  producerVersion: '1',
  metadata: { key: 'text', ünï: 'cödé' },
  graphName: 'g',
  nodes: [
    {
      operator: 'Op',
      domain: 'com.microsoft',
      name: 'n',
      inputs: ['a', '', 'b'],
      outputs: ['c'],
      attributes: {
        i: { type: 'int', value: -3 },
        f: { type: 'float', value: 0.5 },
        is: { type: 'ints', value: [1, -2, 2 ** 40] },
        fs: { type: 'floats', value: [0.25, -1] },
        s: { type: 'string', value: 'text' },
        ss: { type: 'strings', value: ['x', 'y'] },
        t: { type: 'tensor', value: { name: 't', element: 'int8', dims: [2], data: Int8Array.of(-128, 127) } },
      },
    },
  ],
  initializers: [
    { name: 'f32', element: 'float32', dims: [2, 1], data: Float32Array.of(1.5, -2) },
    { name: 'u8', element: 'uint8', dims: [3], data: Uint8Array.of(0, 128, 255) },
    { name: 'i16', element: 'int16', dims: [1], data: Int16Array.of(-300) },
    { name: 'i32', element: 'int32', dims: [], data: Int32Array.of(-70000) },
    { name: 'i64', element: 'int64', dims: [2], data: BigInt64Array.of(-1n, 2n ** 40n) },
    { name: 'f64', element: 'float64', dims: [1], data: Float64Array.of(Math.PI) },
    { name: 'none', element: 'float32', dims: [0], data: new Float32Array(0) },
  ],
  inputs: [{ name: 'a', element: 'uint8', shape: ['N', 3, null] }],
  outputs: [{ name: 'c', element: 'float32', shape: null }],
  values: [{ name: 'b', element: 'int32', shape: [] }],
}

/** decodeOnnx, or the message of the one error it may raise. */
const attempt = (bytes: Uint8Array): string => {
  try {
    readOnnx(bytes, 'x.onnx')
    return 'parsed'
  } catch (error) {
    if (!(error instanceof MalformedFileError)) throw error
    return error.message
  }
}

describe('ONNX documents', () => {
  it('survive writing and reading', () => {
    expect(decodeOnnx(encodeOnnx(everyElement), 'x.onnx')).toEqual(everyElement)
  })

  it('are read from a Buffer too, whose slice() does not copy', () => {
    expect(decodeOnnx(Buffer.from(encodeOnnx(everyElement)), 'x.onnx')).toEqual(everyElement)
  })

  it('give the same bytes every time', () => {
    expect(encodeOnnx(decodeOnnx(smallBytes(), 'x.onnx'))).toEqual(smallBytes())
  })

  it('are summarized with types, counts and scales', () => {
    const summary = readOnnx(smallBytes(), 'x.onnx')
    expect(summary.inputs).toEqual(['input_0 float32[N,4,4,2]'])
    expect(summary.outputs).toEqual(['softmax_4 float32[N,4]'])
    expect(summary.opsets).toEqual({ 'ai.onnx': 13 })
    expect(summary.irVersion).toBe(8)
    expect(summary.operators['QLinearConv']).toBe(1)
    expect(summary.metadata['spikeport.labels']).toBe('["a","b","c","d"]')
    expect(summary.quantization['input_0/nchw']).toEqual({ scales: [1 / 128], zeroPoints: [128] })
    expect(summary.quantization['conv2d_0/weights']?.scales).toHaveLength(3)
  })
})

describe('bytes that are not to be trusted', () => {
  it('refuses every truncation but those that leave out whole metadata entries, which protobuf cannot tell', () => {
    const bytes = smallBytes()
    expect(bytes.length).toBeLessThan(4096)
    const { metadata: _, ...whole } = decodeOnnx(bytes, 'x.onnx')
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length)
      if (attempt(cut) === 'parsed') expect(decodeOnnx(cut, 'x.onnx'), `cut at ${length}`).toEqual({ ...whole, metadata: {} })
    }
  })

  it('parses or refuses 10,000 random mutations (seed 7)', () => {
    const random = testRandom(7)
    const original = smallBytes()
    let refused = 0
    for (let i = 0; i < 10_000; i++) {
      const bytes = original.slice()
      for (let n = random.integer(1, 4); n > 0; n--) bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255)
      if (attempt(bytes) !== 'parsed') refused++
    }
    expect(refused).toBeGreaterThan(100)
  })

  it('refuses messages that nest without end', () => {
    let bytes: Uint8Array = new Uint8Array(0)
    const wrap = (tag: number, inner: Uint8Array): Uint8Array => {
      const length: number[] = []
      for (let n = inner.length; ; n >>>= 7) {
        length.push(n > 127 ? (n & 127) | 128 : n)
        if (n <= 127) break
      }
      return Uint8Array.of(tag, ...length, ...inner)
    }
    for (let i = 0; i < 100; i++) bytes = wrap((1 << 3) | 2, wrap((5 << 3) | 2, wrap((6 << 3) | 2, bytes)))
    expect(attempt(wrap((7 << 3) | 2, bytes))).toMatch(/messages nest more than 64 deep/)
  })

  it('names a tensor whose bytes do not fit its dimensions', () => {
    const [tensor] = everyElement.initializers
    const bytes = encodeOnnx({ ...everyElement, initializers: [{ ...(tensor as NonNullable<typeof tensor>), dims: [2 ** 40, 3] }] })
    expect(attempt(bytes)).toBe('x.onnx: tensor "f32" has 8 bytes, its dimensions [1099511627776,3] take 13194139533312.')
  })

  it('says where a length runs past its end', () => {
    expect(attempt(Uint8Array.of(0x08, 0x08, 0x3a, 0x7f, 0x0a))).toBe('x.onnx at byte 2: a field of 127 bytes does not fit the 1 that follow.')
    expect(attempt(new Uint8Array(0))).toBe('x.onnx at byte 0: the file is empty.')
    expect(attempt(Uint8Array.of(0x08, 0x08))).toBe('x.onnx: not an ONNX model: it holds no graph or states no operator set.')
  })
})
