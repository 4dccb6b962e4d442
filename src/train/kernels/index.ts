// Everything the wasm backend needs to train at full speed; the portable half of what tfjs-node brings by itself.

import type { TensorFlow } from '../tfjs.js'
import { convolutionFilterGradient, convolutionInputGradient } from './convolution-gradients.js'
import { depthwiseFilterGradient, depthwiseInputGradient } from './depthwise-gradients.js'
import { registerMatrixProduct } from './matrix-product.js'
import { registerWasmKernel, type WasmKernel } from './wasm-kernel.js'

const KERNELS: Readonly<Record<string, WasmKernel>> = {
  Conv2DBackpropFilter: convolutionFilterGradient,
  Conv2DBackpropInput: convolutionInputGradient,
  DepthwiseConv2dNativeBackpropFilter: depthwiseFilterGradient,
  DepthwiseConv2dNativeBackpropInput: depthwiseInputGradient,
}

/** Registers the training kernels of the wasm backend. */
export const registerTrainingKernels = (tf: TensorFlow): void => {
  registerMatrixProduct(tf)
  for (const [name, kernel] of Object.entries(KERNELS)) registerWasmKernel(tf, name, kernel)
}
