// cAER's UDP messages: 20 bytes with a running number, then AEDAT 3.1 packets. The number tells how many datagrams were lost.
// See docs/events.md, "cAER over UDP".

import { type EventBatch, emptyBatch } from '../batch.js'
import type { DecoderOptions, EventDecoder } from '../decoder.js'
import { createByteWriter, type EncoderOptions, type EventEncoder } from '../encoder.js'
import { createAedat3Decoder, createAedat3PacketEncoder } from '../formats/aedat3.js'
import { i64le, u32le } from '../formats/words.js'
import { type Ledger, tally } from '../ledger.js'

const HEAD_BYTES = 20
/** 0x1D378BC90B9A6658 as two little-endian words (libcaer network.h). */
const MAGIC_LOW = 0x0b9a6658
const MAGIC_HIGH = 0x1d378bc9
/** A number further back than this is a sender that started again, not a late datagram. */
const LATEST = 1024

/** Takes whole datagrams only: push() must get one each time. */
export const createCaerDecoder = (options: DecoderOptions = {}): EventDecoder => {
  const inner = createAedat3Decoder({ ...options, isDatagrams: true, isHeaderless: true })
  const ledger = inner.ledger as Ledger
  let next: number | null = null

  const count = (sequence: number): void => {
    tally(ledger.records, 'datagram')
    if (next !== null && sequence > next) tally(ledger.records, 'datagramLost', sequence - next)
    if (next !== null && sequence < next && next - sequence <= LATEST) {
      // it was counted as lost when a later one came before it
      const lost = ledger.records['datagramLost'] ?? 0
      if (lost > 0) ledger.records['datagramLost'] = lost - 1
      if (lost === 1) delete ledger.records['datagramLost']
      tally(ledger.records, 'datagramLate')
      return
    }
    if (next !== null && sequence < next) tally(ledger.faults, 'sequenceRestart')
    next = sequence + 1
  }

  const push = (datagram: Uint8Array): EventBatch => {
    if (datagram.length === 0) return emptyBatch()
    const isMessage = datagram.length >= HEAD_BYTES && u32le(datagram, 0) === MAGIC_LOW && u32le(datagram, 4) === MAGIC_HIGH
    const sequence = isMessage ? i64le(datagram, 8) : -1
    if (!Number.isSafeInteger(sequence) || sequence < 0) {
      ledger.bytesIn += datagram.length
      tally(ledger.droppedBytes, 'unknownMessage', datagram.length)
      return emptyBatch()
    }
    count(sequence)
    ledger.bytesIn += HEAD_BYTES
    tally(ledger.otherBytes, 'header', HEAD_BYTES)
    return inner.push(datagram.subarray(HEAD_BYTES))
  }
  return {
    get geometry() {
      return inner.geometry
    },
    ledger,
    push,
    end: inner.end,
    snapshot: inner.snapshot,
  }
}

/** One message a push() that has something to say; push at most 4,096 events so that it fits a datagram of 64 kB. */
export const createCaerEncoder = (options: EncoderOptions): EventEncoder => {
  const inner = createAedat3PacketEncoder(options)
  let sequence = 0
  return {
    ledger: inner.ledger,
    push: (batch, extras) => {
      const packets = inner.push(batch, extras)
      if (packets.length === 0) return packets
      const out = createByteWriter(HEAD_BYTES + packets.length)
      for (const word of [MAGIC_LOW, MAGIC_HIGH, sequence >>> 0, Math.floor(sequence / 2 ** 32)]) out.u32(word)
      out.u32(1) // version 1, format raw, source 0
      sequence++
      out.bytes(packets)
      const ledger = inner.ledger as Ledger
      ledger.bytesOut += HEAD_BYTES
      return out.take()
    },
    end: inner.end,
  }
}
