// CMakeLists.txt of an exported folder: a library and its self-test, with the flags that exact results need.

import type { KernelSet } from './sources.js'

const FLAGS = ['-Wall', '-Wextra', '-Wconversion', '-Wdouble-promotion', '-ffp-contract=off', '-fno-fast-math', '-fno-strict-aliasing']
/** Files of a chip's folders that only walk over images; what they call repeatedly is elsewhere, or assembly. */
const DRIVERS = ['add', 'average_pool', 'conv2d', 'dense', 'depthwise'].map((name) => `core/blocked/${name}.c`).concat('core/dsp/depthwise.c')

const isInnerLoop = (path: string): boolean => path.split('/').length > 2 && !DRIVERS.includes(path)

const list = (paths: readonly string[]): string => paths.map((path) => `  ${path}`).join('\n')

const innerLoops = (sources: readonly string[]): string => {
  const paths = sources.filter(isInnerLoop)
  return paths.length === 0
    ? ''
    : `# inner loops for speed, everything else for size\nset_source_files_properties(\n${list(paths)}\n  PROPERTIES COMPILE_OPTIONS -O2)\n`
}

export const cmakeLists = (set: KernelSet, files: readonly string[]): string => {
  const sources = files.filter((path) => path.endsWith('.c') && path !== 'main.c')
  return `# The model as a library, and its self-test. -ffp-contract=off is not optional: fused multiply-add changes results.
cmake_minimum_required(VERSION 3.13)
project(model C)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE MinSizeRel)
endif()

add_library(model STATIC
${list(sources)})
set_target_properties(model PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
target_include_directories(model PUBLIC \${CMAKE_CURRENT_SOURCE_DIR}${set === 'plain' ? '' : ` PRIVATE \${CMAKE_CURRENT_SOURCE_DIR}/core/${set}`})
target_compile_options(model PRIVATE
  ${FLAGS.join(' ')}
  -ffunction-sections -fdata-sections)
${innerLoops(sources)}
# a program that uses the model links with this, too: it drops what the model does not call
if(NOT APPLE)
  target_link_options(model INTERFACE -Wl,--gc-sections)
endif()

add_executable(self-test main.c)
set_target_properties(self-test PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
target_link_libraries(self-test model)
enable_testing()
add_test(NAME self-test COMMAND self-test)
`
}
