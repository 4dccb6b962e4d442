import { describe, expect, it } from 'vitest'
import { MalformedFileError } from '#src/errors.js'
import { imageSize, turnImages } from '#src/tune/augment.js'
import { decodeCheckpoint, encodeCheckpoint } from '#src/tune/checkpoint-file.js'
import { splitData, type TuneData } from '#src/tune/data.js'
import { ticks, tuneReportPage } from '#src/tune/report.js'
import { networkBuilder } from '../../helpers/networks.js'

const content = {
  name: 'run "1"',
  numbers: [1.5, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-300],
  none: null,
  state: { latent: Float64Array.of(0.1, -0, Number.NaN), order: Uint32Array.of(4000000000), labels: Int8Array.of(-1, 2, 3), empty: new Float64Array(0) },
}

describe('a checkpoint file', () => {
  it('gives back what was saved, to the bit', () => {
    const back = decodeCheckpoint(encodeCheckpoint(content), 'a.checkpoint')
    expect(back).toEqual(content)
    expect(encodeCheckpoint(back)).toEqual(encodeCheckpoint(content))
  })

  it('refuses any changed or missing byte', () => {
    const bytes = encodeCheckpoint(content)
    for (let at = 0; at < bytes.length; at++) {
      if (at === 6 || at === 7) continue // reserved
      const changed = bytes.slice()
      changed[at] = (changed[at] as number) ^ 0x40
      expect(() => decodeCheckpoint(changed, 'a.checkpoint')).toThrow(MalformedFileError)
      expect(() => decodeCheckpoint(bytes.subarray(0, at), 'a.checkpoint')).toThrow(MalformedFileError)
    }
  })

  it('names the file, the byte and the versions', () => {
    const bytes = encodeCheckpoint(content)
    bytes[4] = 9
    expect(() => decodeCheckpoint(bytes, 'a.checkpoint')).toThrow('a.checkpoint at byte 4: checkpoint version 9, this spikeport reads version 1.')
    expect(() => decodeCheckpoint(Uint8Array.of(1, 2), 'a.checkpoint')).toThrow('not a checkpoint')
  })

  it('refuses arrays that lie outside the file', () => {
    const bytes = encodeCheckpoint({ state: { $array: 'Float64Array', offset: 0, length: 1e9 } })
    expect(() => decodeCheckpoint(bytes, 'a.checkpoint')).toThrow('an array lies outside the file')
    expect(() => decodeCheckpoint(encodeCheckpoint({ $array: 'Function', offset: 0, length: 0 }), 'a')).toThrow('an array of kind "Function"')
  })
})

const page = (losses: number[]): string =>
  tuneReportPage({
    title: 'tune <b>"x"</b>',
    figures: [['test', '97 %']],
    settings: [['--data', 'a&b']],
    history: {
      steps: losses.map((_, i) => i + 1),
      seconds: losses.map((_, i) => i / 2),
      losses,
      validationSteps: [0, 5],
      validationSeconds: [0, 1],
      validations: [0.5, 0.975],
    },
  })

describe('the report', () => {
  it('is one page with four charts, whatever is in the texts', () => {
    const html = page([3, 2, Number.NaN, 1])
    expect(html.match(/<polyline/g)?.length).toBe(4)
    expect(html).toContain('<h1>tune &#60;b&#62;&#34;x&#34;&#60;/b&#62;</h1>')
    expect(html).toContain('a&#38;b')
    expect(html).toContain('97.5 %')
    expect(html).not.toMatch(/NaN|Infinity|undefined|<script|https?:|src=|@import|url\(/)
  })

  it('stays small for long runs, and draws flat and missing curves', () => {
    expect(page(Array.from({ length: 100_000 }, (_, i) => 1 / (i + 1))).length).toBeLessThan(40_000)
    expect(page([1, 1, 1])).not.toMatch(/NaN|Infinity/)
    expect(page([2])).not.toMatch(/NaN|Infinity/)
    expect(page([]).match(/no values/g)?.length).toBe(2)
  })

  it('has ticks at round numbers', () => {
    expect(ticks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1])
    expect(ticks(-3, 47, 5)).toEqual([0, 10, 20, 30, 40])
    expect(ticks(0.91, 0.98, 4)).toEqual([0.92, 0.94, 0.96, 0.98])
  })
})

describe('samples', () => {
  const builder = networkBuilder('pairs', 1)
  const network = builder.build([builder.input([2])])
  const data: TuneData = { count: 50, inputs: [Int8Array.from({ length: 100 }, (_, i) => i)], labels: Int32Array.from({ length: 50 }, (_, i) => i) }

  it('are cut in two by the seed alone, each with its label', () => {
    const { data: kept, validation } = splitData(network, data, 0.2, 7)
    expect([kept.count, validation.count]).toEqual([40, 10])
    expect([...(kept.labels ?? []), ...(validation.labels ?? [])].sort((a, b) => a - b)).toEqual([...(data.labels ?? [])])
    expect([...(validation.inputs[0] as Int8Array)]).toEqual([...(validation.labels ?? [])].flatMap((n) => [2 * n, 2 * n + 1]))
    expect(splitData(network, data, 0.2, 7)).toEqual({ data: kept, validation })
    expect(splitData(network, data, 0.2, 8).validation).not.toEqual(validation)
  })

  it('cannot be cut into nothing', () => {
    for (const share of [0, 0.001, 0.999]) expect(() => splitData(network, data, share, 1)).toThrow(`${share} of 50 samples for validation leaves`)
  })
})

describe('turned images', () => {
  const image = Float32Array.from({ length: 2 * 9 }, (_, i) => i)

  it('are the same at 0 degrees and permuted at 90, each channel for itself', () => {
    expect(turnImages(image, { height: 3, width: 3, degrees: 0 })).toEqual(image)
    const turned = turnImages(image.subarray(0, 9), { height: 3, width: 3, degrees: 90 })
    expect([...turned].map(Math.round)).toEqual([2, 5, 8, 1, 4, 7, 0, 3, 6])
    const channels = turnImages(image, { height: 3, width: 3, channels: 2, degrees: 90 })
    expect([...channels].map(Math.round)).toEqual([2, 5, 8, 1, 4, 7, 0, 3, 6].flatMap((n) => [2 * n, 2 * n + 1]))
  })

  it('have a size where the shape is that of an image', () => {
    expect(imageSize([28, 20, 3])).toEqual({ height: 28, width: 20, channels: 3 })
    expect(imageSize([784])).toEqual({ height: 28, width: 28, channels: 1 })
    expect(imageSize([783])).toBe(null)
  })
})
