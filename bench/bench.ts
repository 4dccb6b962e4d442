// What a bench is: it reports rows; bench/index.ts prints them as a table or as JSON.

/** One figure. `baseline` is what was measured beside it in the same run, or a bound. */
export interface BenchRow {
  readonly case: string
  readonly metric: string
  readonly value: number
  readonly unit: string
  readonly goal?: number
  readonly baseline?: { readonly name: string; readonly value: number }
}

export interface BenchOptions {
  /** how long to measure a case */
  readonly seconds?: number
  readonly task?: string
  readonly seed?: number
}

export interface Bench {
  readonly name: string
  readonly description: string
  readonly run: (report: (row: BenchRow) => void, options: BenchOptions) => Promise<void>
}
