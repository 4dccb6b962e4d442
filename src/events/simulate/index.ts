// A simulated event camera: events of frames and of moving shapes, with noise. See docs/events.md, "Simulator".

export { type CameraOptions, createSimulatedCamera, type SimulatedCamera } from './camera.js'
export { type FrameStack, frameEvents, SHAPES, type ShapeKind, type ShapeScene, shapeEvents } from './scenes.js'
