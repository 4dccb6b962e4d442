// spikeport events: recordings of event cameras: what is in them, other formats, parts, filters, features learned from them, and a page.

import { type Command, InvalidArgumentError, Option } from 'commander'
import { CSV_TIME_UNITS, SENSOR_METHODS, SHAPES } from '../../events/index.js'
import { ARITHMETICS, DECAYS, POLARITY_MODES } from '../../features/index.js'
import { runConvert } from '../events/convert.js'
import { runCut } from '../events/cut.js'
import { duration, place } from '../events/durations.js'
import { runEmulate } from '../events/emulate.js'
import { runEncode } from '../events/encode.js'
import { runLearn, runShow } from '../events/features.js'
import { runFilter } from '../events/filter.js'
import { filterLines } from '../events/filters.js'
import { runInfo } from '../events/info.js'
import { runSimulate } from '../events/simulate.js'
import { formatOption, geometryOption } from '../events/source.js'
import { runView } from '../events/view.js'
import { count, finish, real } from '../options.js'

/** Calls a command's function with its arguments and options; --json may have been taken by a command above. */
const act =
  <A extends unknown[], O>(run: (...args: [...A, O]) => Promise<void>) =>
  (...args: unknown[]): Promise<void> => {
    const command = args.at(-1) as Command
    return run(...([...args.slice(0, -2), command.optsWithGlobals()] as unknown as [...A, O]))
  }

const INPUT = 'the recording; - is stdin'

/** Options of everything that reads a recording. */
const reading = (command: Command): Command =>
  command
    .option('--format <name>', 'format of the input where its content does not tell', formatOption)
    .option('--geometry <WxH>', 'size of the sensor where the recording does not tell, or another one', geometryOption)

/** Options of everything that writes a recording. */
const writing = (command: Command): Command =>
  reading(command)
    .requiredOption('-o, --output <file>', 'the recording to write; - is stdout')
    .option('--from-zero', 'times count from the first event')
    .option('--force', 'write it even if the format loses something')

const registerInfo = (events: Command): void => {
  finish(
    reading(events.command('info').description('show format, sensor, counts, times and the ledger of a recording').argument('<recording>', INPUT)).action(
      act(runInfo),
    ),
    'spikeport events info hand.raw',
  )
}

const registerConvert = (events: Command): void => {
  finish(
    writing(events.command('convert').description('write a recording in another format').argument('<recording>', INPUT))
      .option('--to <format>', 'format to write (default: by the ending of the output)', formatOption)
      .action(act(runConvert)),
    'spikeport events convert hand.raw -o hand.aedat4\nspikeport events convert - -o - --to text < hand.raw',
  )
}

const registerCut = (events: Command): void => {
  finish(
    writing(events.command('cut').description('write a stretch of a recording').argument('<recording>', INPUT))
      .option('--from <place>', 'first: a time since the first event (10ms), or the number of an event', place)
      .option('--to <place>', 'end, not included: as --from', place)
      .option('--as <format>', 'format to write (default: by the ending of the output)', formatOption)
      .action(act(runCut)),
    'spikeport events cut hand.raw --from 100ms --to 1.5s -o part.raw\nspikeport events cut hand.raw --to 10000 -o part.csv',
  )
}

const registerFilter = (events: Command): void => {
  finish(
    writing(
      events
        .command('filter')
        .description('pass a recording through a chain of filters')
        .argument('<recording>', INPUT)
        .argument('<filters...>', 'name:option=value,... in the order in which they act'),
    )
      .option('--as <format>', 'format to write (default: by the ending of the output)', formatOption)
      .addHelpText('after', `\nFilters:\n${filterLines().join('\n')}`)
      .action(act(runFilter)),
    'spikeport events filter hand.raw hot-pixel background:duration=2ms,supporters=2 -o clean.raw',
  )
}

const registerShow = (features: Command): void => {
  finish(
    features
      .command('show')
      .description('draw the features of a .feast file as text or PNG')
      .argument('<file>', 'the .feast file; - is stdin')
      .option('-o, --output <file>', 'write a PNG; - is stdout')
      .option('--zoom <n>', 'pixels a weight is wide in the PNG', count(1), 8)
      .action(act(runShow)),
    'spikeport events features show hand.feast -o hand.png',
  )
}

const registerLearn = (features: Command): void => {
  const learn = features
    .command('learn', { isDefault: true })
    .description('learn from recordings without labels (the default)')

    .argument('<recordings...>', 'recordings, learned from once in this order; - is stdin')
    .requiredOption('-o, --output <file>', 'the .feast file to write; - is stdout')
    .option('--from <file>', 'go on with this .feast file; its settings hold')
    .option('--count <n>', 'features a bank (default 16)', count(1))
    .option('--radius <n>', 'windows are 2n + 1 pixels wide (default 3)', count(1))
    .option('--tau <duration>', 'time constant of the surface (default 30ms)', duration)
    .option('--eta <rate>', 'learning rate (default 0.001)', real)
    .option('--close-step <step>', 'by which a win raises a threshold (default 0.001)', real)
    .option('--open-step <step>', 'by which a miss lowers all thresholds (default 0.003)', real)
    .addOption(new Option('--arithmetic <kind>', 'float is the definition, fixed what chips compute (default float)').choices([...ARITHMETICS]))
    .addOption(new Option('--decay <kind>', 'decay of the surface; binary is the 1-bit variant (default exponential)').choices([...DECAYS]))
    .addOption(new Option('--polarity <mode>', 'split: a bank each for ON and OFF (default)').choices([...POLARITY_MODES]))
    .option('--seed <n>', 'seed of the first weights (default 1)', count(0))
    .option('--window <events>', 'events between two looks of the monitor (default 10000)', count(100))
  finish(reading(learn).action(act(runLearn)), 'spikeport events features learn hand.raw --count 16 --radius 3 -o hand.feast')
}

const registerFeatures = (events: Command): void => {
  const features = events.command('features').description('learn FEAST features from recordings, and show them')
  finish(
    features,
    'spikeport events features hand.raw --count 16 --radius 3 -o hand.feast\nspikeport events features more.raw --from hand.feast -o hand.feast\nspikeport events features show hand.feast',
  )
  registerLearn(features)
  registerShow(features)
}

const speed = (text: string): number => {
  const value = text === 'max' ? Number.POSITIVE_INFINITY : Number(text.replace(/x$/, ''))
  if (!(value > 0) || (value > 1000 && text !== 'max')) throw new InvalidArgumentError('a speed is 1x, 0.5x, ... or max.')
  return value
}

const probability = (text: string): number => {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value < 1)) throw new InvalidArgumentError('a probability from 0 to below 1 is needed.')
  return value
}

const registerEmulate = (events: Command): void => {
  finish(
    reading(
      events.command('emulate').description('play a recording as a camera: an eDVS on a pseudo terminal, or over UDP or TCP').argument('<recording>', INPUT),
    )
      .addOption(new Option('--as <camera>', 'edvs needs the program "script" (Debian: bsdutils)').choices(['edvs', 'udp', 'tcp']).makeOptionMandatory())
      .option(
        '--address <address>',
        'udp: where to send (default udp://127.0.0.1:3333, ?format=caer for numbered datagrams); tcp: where to listen (default tcp://127.0.0.1:7777)',
      )
      .option('--speed <factor>', '1x is the pace of the recording; max: as fast as the line takes it', speed, 1)
      .option('--rate <n>', 'events a second, whatever the times of the recording say', count(1))
      .option('--duration <time>', 'repeat the recording, and end after this time (default: once)', duration)
      .option('--bit-errors <p>', 'probability that a bit is flipped', probability, 0)
      .option('--drop <p>', 'probability that a datagram or packet is dropped', probability, 0)
      .option('--gaps', 'leave out 100 ms of every second')
      .option('--burst', 'send what gathered in 50 ms at once')
      .option('--seed <n>', 'seed of the damage', count(0), 1)
      .action(act(runEmulate)),
    'spikeport events emulate hand.raw --as edvs --speed 1x\nspikeport events emulate hand.raw --as udp --address udp://127.0.0.1:3333 --drop 0.01',
  )
}

const registerView = (events: Command): void => {
  finish(
    reading(
      events
        .command('view')
        .description('serve a page that plays a recording and learns features from it')
        .argument('[recording]', 'the recording; without one the page opens files itself'),
    )
      .option('--port <n>', 'port of the page, 0 takes a free one', count(0), 8080)
      .option('--host <name>', 'address to bind to; 0.0.0.0 lets other machines watch', '127.0.0.1')
      .action(act(runView)),
    'spikeport events view hand.raw',
  )
}

/** Options of commands that make a recording of something else. */
const making = (command: Command): Command =>
  command
    .requiredOption('-o, --output <file>', 'the recording to write; - is stdout')
    .option('--as <format>', 'format to write (default: by the ending of the output)', formatOption)
    .option('--force', 'write it even if the format loses something')

const registerEncode = (events: Command): void => {
  finish(
    making(
      events
        .command('encode')
        .description('make events of a signal: .wav, or text with a column a channel')
        .argument('<signal>', 'a .wav or text file; - is stdin'),
    )
      .addOption(
        new Option('--method <name>', 'delta: send on delta; adaptive: the threshold follows the signal').choices([...SENSOR_METHODS]).default('delta'),
      )
      .requiredOption('--threshold <x>', 'change that makes an event, in units of the signal (.wav: full scale is 1); adaptive: the lowest one', real)
      .option('--gain <x>', 'adaptive: the threshold in mean steps between samples, 1/16 to 127/16', real, 4)
      .option('--memory <n>', 'adaptive: samples the mean reaches back, a power of two from 2 to 4096', count(2), 256)
      .addOption(new Option('--kind <kind>', 'what the signal is (default: by its first bytes)').choices(['wav', 'csv']))
      .option('--rate <hz>', 'text: samples a second, where no column has times', real)
      .option('--columns <list>', 'text: names or numbers from 1 of the channels, with commas (default: all but the times)')
      .option('--time-column <column>', 'text: name or number of the column of times')
      .addOption(new Option('--time-unit <unit>', 'text: unit of the times').choices(Object.keys(CSV_TIME_UNITS)).default('s'))
      .option('--resolution <x>', 'text: what one integer step is worth (default: threshold / 256)', real)
      .action(act(runEncode)),
    'spikeport events encode signal.wav --threshold 0.02 -o signal.es\nspikeport events encode motor.csv --time-column t --method adaptive --threshold 0.05 -o motor.es',
  )
}

const registerSimulate = (events: Command): void => {
  finish(
    making(events.command('simulate').description('make events as a camera would that sees a moving shape, or frames'))
      .addOption(new Option('--shape <shape>', 'what moves from left to right').choices([...SHAPES]))
      .option('--speed <n>', 'pixels a second', real, 100)
      .option('--duration <time>', 'length of the recording', duration, 1_000_000)
      .option('--width <n>', 'pixels of the sensor', count(1), 64)
      .option('--height <n>', 'pixels of the sensor', count(1), 64)
      .option('--size <n>', 'width of the bar, diameter of the disc in pixels (default: a quarter of the height)', real)
      .option('--frames <file>', 'instead of a shape: a .npy file [frames, height, width], bytes or linear intensities 0..1')
      .option('--fps <n>', 'frames a second', real)
      .option('--contrast <x>', 'change of log intensity that makes an event', real, 0.2)
      .option('--mismatch <x>', 'standard deviation of the thresholds, as a share', real, 0)
      .option('--refractory <time>', 'silence of a pixel after an event', duration, 0)
      .option('--noise <hz>', 'rate of shot noise of a pixel', real, 0)
      .option('--leak <hz>', 'rate of leak events of a pixel', real, 0)
      .option('--seed <n>', 'seed of thresholds and noise', count(0), 1)
      .action(act(runSimulate)),
    'spikeport events simulate --shape bar --speed 200 --duration 1s --width 64 --height 64 --noise 1 -o bar.es\nspikeport events simulate --frames video.npy --fps 30 -o video.aedat4',
  )
}

export const registerEvents = (program: Command): void => {
  const events = program.command('events').description('recordings of event cameras: info, convert, cut, filter, features, emulate, view, encode, simulate')
  finish(events, 'spikeport events info hand.raw')
  const registrations = [
    registerInfo,
    registerConvert,
    registerCut,
    registerFilter,
    registerFeatures,
    registerEmulate,
    registerView,
    registerEncode,
    registerSimulate,
  ]
  for (const register of registrations) register(events)
}
