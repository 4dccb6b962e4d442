// Sensors that are not cameras: readers of samples and the encoders that make events of them. See docs/events.md, "Other sensors".

export { CSV_TIME_UNITS, type CsvOptions, createCsvReader } from './csv.js'
export { createSensorEncoder, SENSOR_METHODS, type SensorEncoder, type SensorEncoderOptions, type SensorMethod } from './encode.js'
export { regularBlock, SAMPLE_LIMIT, type SampleBlock, type SampleReader } from './samples.js'
export { createWavReader, type WavOptions } from './wav.js'
