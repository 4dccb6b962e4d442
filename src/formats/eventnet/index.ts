// The .evn flash format: bytes <-> plain document (docs/eventnet.md). Knows no Network.

export { VALUE_KIND_CODES } from './codes.js'
export {
  type ConstantAt,
  EVENTNET_VERSION,
  type EventnetDocument,
  type EventnetNames,
  type EventnetNode,
  type EventnetValue,
  type EventnetValueKind,
  type FieldValue,
  type FieldValues,
  FOREVER,
  MAX_ARENA_BYTES,
  MAX_NODES,
  MAX_PORTS,
  MAX_VALUES,
  NO_VALUE,
} from './document.js'
export type { EventnetEmission, EventnetOperator } from './fields.js'
export { readEventnet } from './read.js'
export { encodeEventnet, sealEventnet } from './write.js'
