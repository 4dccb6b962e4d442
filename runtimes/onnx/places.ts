// ONNX keeps images channels first; this puts a traced value back into the network's order.

import { producerOf, typeOf } from '#src/network/graph.js'
import type { ElementArray, Network, Shape } from '#src/network/types.js'
import { asImage } from '#src/network/window.js'
import type { Place } from '#src/onnx/draft.js'

/** [c, h, w] -> [h, w, c]. */
const channelsLast = (data: ElementArray, image: Shape): ElementArray => {
  const [height, width, channels] = asImage(image, 'a traced value')
  const pixels = height * width
  const out = data.slice()
  for (let i = 0; i < out.length; i++) out[i] = data[(i % channels) * pixels + Math.floor(i / channels)] as number
  return out
}

/** A value's elements in the network's order. */
export const fromPlace = (network: Network<'integer'>, value: number, place: Place, data: ElementArray): ElementArray => {
  if (place.layout === 'plain') return data
  const image = place.layout === 'channelsFirst' ? value : (producerOf(network, value)?.inputs[0] ?? value)
  return channelsLast(data, typeOf(network, image).shape)
}
