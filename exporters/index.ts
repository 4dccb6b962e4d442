// The table of exporters; a format is one folder here and one line below.

import type { Exporter } from '#src/contracts/exporter.js'
import { usage } from '#src/errors.js'
import { cExporter } from './c/index.js'
import { eventnetExporter } from './eventnet/index.js'
import { onnxExporter } from './onnx/index.js'

export const EXPORTERS: Readonly<Record<string, Exporter>> = { onnx: onnxExporter, eventnet: eventnetExporter, c: cExporter }

/** An exporter by name. @throws USAGE naming the formats there are */
export const exporterOf = (name: string): Exporter => {
  const exporter = Object.hasOwn(EXPORTERS, name) ? EXPORTERS[name] : undefined
  if (exporter === undefined) throw usage(`unknown format "${name}".`, `The formats are ${Object.keys(EXPORTERS).join(', ')}.`)
  return exporter
}
