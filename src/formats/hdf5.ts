// HDF5: how its files begin, and the library (h5wasm, loaded on first use) behind two functions: a file of bytes opened for reading, and a file made in memory.

import type { File as H5File } from 'h5wasm'
import { malformedFile } from '../errors.js'

let files = 0

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]

/** True for bytes that start like an HDF5 file. */
export const isHdf5 = (bytes: Uint8Array): boolean => SIGNATURE.every((byte, i) => bytes[i] === byte)

/** Runs `work` on the file opened by the HDF5 library, which keeps it in its own memory file system; `name` is for messages. @throws FILE_MALFORMED */
export const withHdf5 = async <T>(bytes: Uint8Array, name: string, work: (file: H5File) => T): Promise<T> => {
  const { default: h5wasm } = await import('h5wasm')
  const { FS } = await h5wasm.ready
  const path = `/spikeport-${files++}.h5`
  FS.writeFile(path, bytes)
  try {
    const file = new h5wasm.File(path, 'r')
    if (file.file_id === -1n || file.file_id === 0n) throw malformedFile(name, 0, 'the HDF5 library cannot open it')
    try {
      return work(file)
    } finally {
      file.close()
    }
  } finally {
    FS.unlink(path)
  }
}

/** The bytes of a new HDF5 file that `fill` fills. */
export const createHdf5 = async (fill: (file: H5File) => void): Promise<Uint8Array> => {
  const { default: h5wasm } = await import('h5wasm')
  const { FS } = await h5wasm.ready
  const path = `/spikeport-${files++}.h5`
  const file = new h5wasm.File(path, 'w')
  try {
    fill(file)
  } finally {
    file.close()
  }
  try {
    return new Uint8Array(FS.readFile(path) as Uint8Array)
  } finally {
    FS.unlink(path)
  }
}
