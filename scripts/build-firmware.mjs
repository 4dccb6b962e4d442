// Builds the firmware images of firmware-stubs/images (Debian: gcc-arm-none-eabi, libnewlib-arm-none-eabi, gcc-riscv64-unknown-elf,
// picolibc-riscv64-unknown-elf). The same sources give the same bytes; --check compares with the committed images and writes nothing.
// usage: node scripts/build-firmware.mjs [--check] [--elf folder] [board ...]

import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const STRICT = ['-std=c11', '-Wall', '-Wextra', '-Wconversion', '-Wdouble-promotion', '-Werror', '-ffp-contract=off', '-fno-fast-math']
const COMMON = [
  ...STRICT,
  ...['-DNDEBUG', '-ffunction-sections', '-fdata-sections', '-fno-common', '-fno-ident', '-fno-strict-aliasing', '-ffreestanding'],
  `-ffile-prefix-map=${root}=`,
]
/** Kernels of a core: a folder of firmware-stubs/core with its table of operators, and the files of core/blocked that it uses. */
const BLOCKED = JSON.parse(readFileSync(join(root, 'firmware-stubs/core/kernel-sets.json'), 'utf8'))
const KERNELS = {
  plain: { folder: null, blocked: [] },
  ...Object.fromEntries(Object.entries(BLOCKED).map(([folder, blocked]) => [folder, { folder, blocked }])),
}
/** Walks over images; the inner loops that they call are elsewhere, so these are built for size as everything else. */
const DRIVERS = ['blocked/average_pool.c', 'blocked/conv2d.c', 'blocked/dense.c', 'blocked/depthwise.c', 'dsp/depthwise.c']
const ARM = { prefix: 'arm-none-eabi-', flags: ['-mthumb'], link: ['--specs=nano.specs', '-nostartfiles', '-Wl,--build-id=none'] }
const RISCV = { prefix: 'riscv64-unknown-elf-', flags: ['--specs=picolibc.specs', '-mcmodel=medany'], link: ['-nostartfiles', '-Wl,--build-id=none'] }

const cortexM = (cpu, kernels, port, extra = [], sources = []) => ({
  ...ARM,
  kernels: KERNELS[kernels],
  port,
  cpu: [`-mcpu=${cpu}`, ...extra],
  sources: ['common/firmware.c', 'common/cortex-m.c', `${port}/port.c`, ...sources],
})

const mps = (id, cpu, kernels, clockHz, uart, port, floatFlags) => ({
  ...cortexM(cpu, kernels, 'mps2', floatFlags, ['common/ram-flash.c']),
  port,
  defines: [`BOARD_ID="${id}"`, `CLOCK_HZ=${clockHz}u`, `UART_BASE=${uart}u`],
})

/** Board id -> how its image is made. */
export const FIRMWARE = {
  'rpi-pico': {
    ...cortexM('cortex-m0plus', 'armv6m', 'rp2040'),
    sources: ['common/firmware.c', 'common/cortex-m.c', 'rp2040/boot2.S', 'rp2040/port.c', 'rp2040/flash.c'],
    boot2: true,
  },
  microbit: { ...cortexM('cortex-m0', 'armv6m', 'microbit'), defines: ['PAYLOAD_BYTES=256u'] },
  'mps2-an385': mps('mps2-an385', 'cortex-m3', 'armv6m', 25000000, '0x40004000', 'mps2', []),
  'mps2-an386': mps('mps2-an386', 'cortex-m4', 'dsp', 25000000, '0x40004000', 'mps2', ['-mfloat-abi=hard', '-mfpu=fpv4-sp-d16']),
  'mps2-an500': mps('mps2-an500', 'cortex-m7', 'dsp', 25000000, '0x40004000', 'mps2', ['-mfloat-abi=hard', '-mfpu=fpv5-sp-d16']),
  'mps3-an547': mps('mps3-an547', 'cortex-m55', 'mve', 32000000, '0x49303000', 'mps3-an547', ['-mfloat-abi=hard', '-mfpu=auto']),
  netduinoplus2: {
    ...cortexM('cortex-m4', 'dsp', 'netduinoplus2', ['-mfloat-abi=hard', '-mfpu=fpv4-sp-d16'], ['common/ram-flash.c']),
    // five instructions at 43.008 ticks
    defines: ['WRAP_COST_TICKS=215u'],
  },
  'riscv32-virt': {
    ...RISCV,
    kernels: KERNELS.rv32,
    port: 'riscv32-virt',
    cpu: ['-march=rv32imac', '-mabi=ilp32', '-misa-spec=2.2'],
    sources: ['common/firmware.c', 'common/ram-flash.c', 'riscv32-virt/start.S', 'riscv32-virt/port.c'],
  },
}

/** Ports that are built to see that they build, without an image. */
export const UNSHIPPED = { template: cortexM('cortex-m4', 'plain', 'template') }

const sourcesIn = (folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.c'))
    .sort()
    .map((name) => `${folder}/${name}`)

const run = (tool, programArguments) => {
  const { status, error } = spawnSync(tool, programArguments, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (error !== undefined)
    throw new Error(`${tool} is missing: apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf`)
  if (status !== 0) throw new Error(`${tool} failed: ${programArguments.at(-3)}`)
}

const compile = (target, source, optimization, output) =>
  run(`${target.prefix}gcc`, [
    ...target.flags,
    ...target.cpu,
    ...COMMON,
    optimization,
    '-I',
    `firmware-stubs/core/${target.kernels.folder ?? '.'}`,
    ...(target.defines ?? []).map((define) => `-D${define}`),
    '-c',
    source,
    '-o',
    output,
  ])

/** Checksum of the second stage, which the boot ROM of the RP2040 wants in the last four of its 256 bytes. */
const crc32Mpeg2 = (bytes) => {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte << 24
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  }
  return crc >>> 0
}

const finishImage = (target, image) => {
  if (target.boot2) image.writeUInt32LE(crc32Mpeg2(image.subarray(0, 252)), 252)
  return image
}

/** Sources of the core with the kernels of a chip: inner loops for speed, everything else for size. */
const coreSources = ({ folder, blocked }) => {
  const core = 'firmware-stubs/core'
  if (folder === null) return sourcesIn(core).map((source) => ({ source, optimization: '-O2' }))
  const kernels = [...sourcesIn(`${core}/${folder}`), ...blocked.map((name) => `${core}/blocked/${name}.c`)]
  const isSmall = (source) => source.endsWith('/operators.c') || DRIVERS.some((driver) => source.endsWith(`/${driver}`))
  return [
    ...kernels.map((source) => ({ source, optimization: isSmall(source) ? '-Os' : '-O2' })),
    ...sourcesIn(core)
      .filter((source) => !source.endsWith('/operators.c'))
      .map((source) => ({ source, optimization: source.endsWith('/spike_add.c') ? '-O2' : '-Os' })),
  ]
}

/** Builds one image; gives its bytes and the sizes of its sections. */
export const buildImage = (id, elfFolder = null) => {
  const target = FIRMWARE[id] ?? UNSHIPPED[id]
  const folder = mkdtempSync(join(tmpdir(), 'spikeport-firmware-'))
  try {
    const sources = [
      ...coreSources(target.kernels),
      ...sourcesIn('firmware-stubs/protocol').map((source) => ({ source, optimization: '-Os' })),
      ...target.sources.map((source) => ({ source: `firmware-stubs/ports/${source}`, optimization: '-Os' })),
    ]
    const objects = sources.map(({ source, optimization }, i) => {
      const output = join(folder, `${String(i).padStart(3, '0')}.o`)
      compile(target, source, optimization, output)
      return output
    })
    const elf = join(folder, `${id}.elf`)
    run(`${target.prefix}gcc`, [
      ...target.flags,
      ...target.cpu,
      ...target.link,
      '-Wl,--gc-sections',
      '-Wl,--no-warn-rwx-segments',
      '-T',
      `firmware-stubs/ports/${target.port}/memory.ld`,
      ...objects,
      '-o',
      elf,
    ])
    run(`${target.prefix}objcopy`, ['-O', 'binary', elf, join(folder, 'image.bin')])
    if (elfFolder !== null) {
      mkdirSync(elfFolder, { recursive: true })
      copyFileSync(elf, join(elfFolder, `${id}.elf`))
    }
    return finishImage(target, readFileSync(join(folder, 'image.bin')))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const imagePath = (id) => join(root, 'firmware-stubs/images', `${id}.bin`)

const main = () => {
  const options = process.argv.slice(2)
  const isCheck = options.includes('--check')
  const elfAt = options.indexOf('--elf')
  const elfFolder = elfAt < 0 ? null : options[elfAt + 1]
  const named = options.filter((option, i) => !option.startsWith('--') && (elfAt < 0 || i !== elfAt + 1))
  let stale = 0
  for (const id of named.length === 0 ? Object.keys(FIRMWARE) : named) {
    const image = buildImage(id, elfFolder)
    const isSame = existsSync(imagePath(id)) && readFileSync(imagePath(id)).equals(image)
    console.log(`${id}: ${image.length} bytes${isSame ? ', unchanged' : ''}`)
    if (!isSame) stale++
    if (!isCheck && !isSame) writeFileSync(imagePath(id), image)
  }
  if (isCheck && stale > 0) {
    console.error('images are not current: run "node scripts/build-firmware.mjs"')
    process.exit(1)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
