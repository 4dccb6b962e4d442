// What every engine implements: load an integer network once, then run batches. runtimes/ holds the implementations.

import type { ElementArray, Network } from '../network/types.js'

/** `count` samples; inputs[i] holds them one after the other in the elements of the network's i-th input. */
export interface Batch {
  readonly count: number
  readonly inputs: readonly ElementArray[]
}

/** One array per network output, samples one after the other. */
export type Outputs = readonly ElementArray[]

export interface Session {
  /** Runs a batch; the arrays returned belong to the caller. */
  readonly run: (batch: Batch) => Promise<Outputs>
  /** Elements of every value of the network for one sample (an array per value; null where the engine does not keep it). Used to find the first layer that differs. */
  readonly trace?: (inputs: readonly ElementArray[]) => Promise<readonly (ElementArray | null)[]>
  readonly close: () => Promise<void>
}

export interface Runtime {
  readonly name: string
  /** @throws UNSUPPORTED where this engine lacks an operator, SpikeportError where the engine cannot start */
  readonly load: (network: Network<'integer'>) => Promise<Session>
}
