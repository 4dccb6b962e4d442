import { describe, expect, it } from 'vitest'
import { batchOf } from '#src/events/batch.js'
import { decodeRecording } from '#src/events/read.js'
import {
  addToSurface,
  averagedSurfaces,
  countImage,
  createDecayTable,
  createSurfaceMemory,
  integerAveragedSurfaces,
  integerTimeSurface,
  integerVoxelGrid,
  surfaceMeans,
  timeSurface,
  voxelGrid,
} from '#src/events/representations/index.js'
import { sharedFile } from './fixtures.js'

const geometry = { width: 3, height: 2 }
const events = batchOf([
  [0, 0, 0, 1],
  [1000, 0, 0, 0],
  [2000, 2, 1, 1],
  [2500, 2, 1, 1],
  [3000, 3, 0, 1],
])

describe('count image', () => {
  it('sums, signs or splits by polarity and leaves out what is outside', () => {
    expect([...countImage(events, geometry)]).toEqual([2, 0, 0, 0, 0, 2])
    expect([...countImage(events, geometry, 'signed')]).toEqual([0, 0, 0, 0, 0, 2])
    expect([...countImage(events, geometry, 'split')]).toEqual([1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2])
  })
})

describe('decay table', () => {
  it('reaches 5 tau (exponential) or tau (linear, binary) in at most 256 ticks', () => {
    const exponential = createDecayTable('exponential', 30000)
    expect(exponential.shift).toBe(10)
    expect([exponential.table[0], exponential.table[29], exponential.table[255]]).toEqual([127, Math.round(127 * Math.exp((-29 * 1024) / 30000)), 0])
    const linear = createDecayTable('linear', 30000)
    expect([linear.shift, linear.table[0], linear.table[117], linear.table[235]]).toEqual([7, 127, Math.round(127 * (1 - (117 * 128) / 30000)), 0])
    const binary = createDecayTable('binary', 256)
    expect([binary.shift, binary.table[255]]).toEqual([0, 127])
    expect(() => createDecayTable('linear', 0)).toThrow('tauMicros is 0, it must be an integer from 1 to 268435456 us.')
  })
})

describe('time surface', () => {
  const memory = createSurfaceMemory(geometry)
  addToSurface(memory, events)

  it('decays exponentially or linearly from the last event, 0 where there was none', () => {
    const exponential = timeSurface(memory, 3000, 'exponential', 1000)
    expect([...exponential].map((value) => value.toFixed(4))).toEqual([
      Math.exp(-2).toFixed(4),
      '0.0000',
      '0.0000',
      '0.0000',
      '0.0000',
      Math.exp(-0.5).toFixed(4),
    ])
    expect([...timeSurface(memory, 3000, 'linear', 4000)]).toEqual([0.5, 0, 0, 0, 0, 0.875])
  })

  it('keeps polarities apart in two planes', () => {
    const split = createSurfaceMemory(geometry, 2)
    expect(addToSurface(split, events)).toBe(1)
    expect([...timeSurface(split, 2500, 'binary', 1600)]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
  })

  it('in integers is the table entry of the age in ticks, within one step of the float form', () => {
    const recording = decodeRecording(sharedFile('events/nmnist.bin'))
    const surface = createSurfaceMemory({ width: 34, height: 34 })
    addToSurface(surface, recording.events)
    for (const kind of ['exponential', 'linear'] as const) {
      const decay = createDecayTable(kind, 30000)
      const exact = timeSurface(surface, 320000, kind, 30000)
      const integer = integerTimeSurface(surface, 320000, decay)
      const steepest = (127 * 2 ** decay.shift) / 30000
      integer.forEach((value, i) => {
        expect(Math.abs(value - 127 * (exact[i] as number))).toBeLessThanOrEqual(steepest + 1)
      })
    }
  })
})

describe('voxel grid', () => {
  const options = { geometry, bins: 3, startMicros: 0, endMicros: 2000 }

  it('shares an event between the two nearest bins', () => {
    const grid = voxelGrid(
      batchOf([
        [0, 0, 0, 1],
        [500, 1, 0, 1],
        [1000, 2, 0, 0],
        [2000, 0, 1, 1],
        [2001, 0, 1, 1],
      ]),
      options,
    )
    expect([...grid]).toEqual([1, 0.5, 0, 0, 0, 0, 0, 0.5, -1, 0, 0, 0, 0, 0, 0, 1, 0, 0])
  })

  it('in integers holds 256ths of the float form', () => {
    const recording = decodeRecording(sharedFile('events/nmnist.bin'))
    const wide = { geometry: { width: 34, height: 34 }, bins: 5, startMicros: 0, endMicros: 320000 }
    const exact = voxelGrid(recording.events, wide)
    const integer = integerVoxelGrid(recording.events, wide)
    const counts = countImage(recording.events, wide.geometry)
    integer.forEach((value, i) => {
      expect(Math.abs(value / 256 - (exact[i] as number))).toBeLessThanOrEqual(((counts[i % counts.length] as number) + 1) / 256)
    })
    expect(integer.reduce((sum, value) => sum + value, 0)).toBe(256 * recording.events.polarity.reduce((sum, polarity) => sum + 2 * polarity - 1, 0))
  })

  it('refuses less than two bins and empty spans', () => {
    expect(() => voxelGrid(events, { ...options, bins: 1 })).toThrow('a voxel grid of 1 bins makes no sense.')
    expect(() => voxelGrid(events, { ...options, endMicros: 0 })).toThrow('a voxel grid from 0 us to 0 us is empty.')
  })
})

describe('averaged time surfaces', () => {
  const options = { geometry: { width: 4, height: 2 }, cellPixels: 2, radiusPixels: 1, windowMicros: 1000 }
  const near = batchOf([
    [0, 0, 0, 1],
    [100, 1, 0, 1],
    [200, 2, 0, 1], // another cell
    [300, 1, 1, 0], // another polarity
    [400, 1, 1, 1],
    [1401, 1, 1, 1], // the window has passed
  ])

  it('a cell holds the mean of what its events saw', () => {
    const surfaces = averagedSurfaces(near, { ...options, tauMicros: 500 })
    expect([surfaces.cellsX, surfaces.cellsY, surfaces.side]).toEqual([2, 1, 3])
    expect([...surfaces.counts]).toEqual([1, 4, 0, 1])
    const on = [...surfaceMeans(surfaces)].slice(9, 18).map((value) => value.toFixed(6))
    // Event 2 sees event 1 to its left; event 3 sees both above it; event 4 sees none.
    const expected = [Math.exp(-400 / 500), Math.exp(-300 / 500), 0, Math.exp(-100 / 500), 0, 0, 0, 0, 0].map((sum) => (sum / 4).toFixed(6))
    expect(on).toEqual(expected)
  })

  it('in integers are sums of table entries', () => {
    const decay = createDecayTable('exponential', 500)
    const surfaces = integerAveragedSurfaces(near, { ...options, decay })
    const entry = (then: number, now: number): number => decay.table[Math.floor(now / 2 ** decay.shift) - Math.floor(then / 2 ** decay.shift)] as number
    expect([...surfaces.sums].slice(9, 18)).toEqual([entry(0, 400), entry(100, 400), 0, entry(0, 100), 0, 0, 0, 0, 0])
  })
})
