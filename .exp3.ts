import { onnxExporter } from '#exporters/onnx/index.js'
import { readOnnx } from '#src/formats/onnx-summary.js'
import { randomNetwork, cnnNetwork } from './test/helpers/networks.js'
import { writeFileSync } from 'node:fs'
const b = onnxExporter.export(cnnNetwork(1)); writeFileSync('/tmp/onnxexp/cnn.onnx', b)
const s = readOnnx(b, 'x'); console.log(JSON.stringify({ ...s, quantization: Object.keys(s.quantization) }, null, 1).slice(0, 6000))
