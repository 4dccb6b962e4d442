// The table of exporters; a format is one folder here and one line below.

import type { Exporter, FloatExporter } from '#src/contracts/exporter.js'
import { usage } from '#src/errors.js'
import { cExporter } from './c/index.js'
import { eventnetExporter } from './eventnet/index.js'
import { nirExporter } from './nir/index.js'
import { onnxExporter } from './onnx/index.js'

export const EXPORTERS: Readonly<Record<string, Exporter>> = { onnx: onnxExporter, eventnet: eventnetExporter, c: cExporter }

/** Exporters of float networks. */
export const FLOAT_EXPORTERS: Readonly<Record<string, FloatExporter>> = { nir: nirExporter }

/** The names of all formats. */
export const FORMAT_NAMES: readonly string[] = [...Object.keys(EXPORTERS), ...Object.keys(FLOAT_EXPORTERS)]

/** An exporter of integer networks by name. @throws USAGE naming the formats there are */
export const exporterOf = (name: string): Exporter => {
  const exporter = Object.hasOwn(EXPORTERS, name) ? EXPORTERS[name] : undefined
  if (exporter === undefined) throw usage(`unknown format "${name}".`, `The formats are ${FORMAT_NAMES.join(', ')}.`)
  return exporter
}
