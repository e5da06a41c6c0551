import { describe, expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'

const IMAGE = `example.org/engine@sha256:${'0'.repeat(64)}`
const BACKEND = `[backends.b]\nengine = "vllm"\nimage = "${IMAGE}"\nmodel = "a/b"\n`

/** What is wrong at a key, or undefined when the compiler takes it. */
function refusal(text: string): { path: string; hint: string | undefined } | undefined {
  const made = compile(text, { targets: ['quadlet', 'systemd', 'declared'] })
  const error = made.diagnostics.find(({ severity }) => severity === 'error')
  return error === undefined ? undefined : { path: error.path, hint: error.hint }
}

/** Key, values that are refused, what the diagnostic names, and values at both ends that are taken. */
const BACKEND_KEYS: [string, readonly string[], RegExp, readonly string[]][] = [
  ['memory', ['"0B"', '"0MiB"', '"15MiB"', '"65TiB"', '"99999999TiB"'], /16MiB.*64TiB/, ['"16MiB"', '"64TiB"']],
  ['shm', ['"0MiB"', '"1B"', '"99999999TiB"'], /64KiB.*64TiB/, ['"64KiB"', '"64TiB"']],
  ['cpus', ['0.0001', '0.001', '0.009'], /at least 0.01/, ['0.01', '1024']],
  ['cpus', ['1025', '1e9'], /at most 1024/, []],
  ['pids', ['4194305', '9007199254740991'], /at most 4194304/, ['16', '4194304']],
  ['start_timeout', ['"0s"', '"99999999999h"', '"16d"'], /1s.*15d/, ['"15d"']],
  ['stop_timeout', ['"99999999999h"', '"25h"'], /0s.*1d/, ['"0s"', '"24h"']],
  ['pull_timeout', ['"99999999999h"', '"8d"'], /0s.*7d/, ['"7d"']],
  ['idle_stop', ['"0s"', '"999ms"', '"99999999999h"'], /1s.*24d/, ['"1s"', '"24d"']],
  ['wait_timeout', ['"99999999999h"', '"25d"'], /0s.*24d/, ['"0s"', '"24d"']],
  ['health.interval', ['"0s"', '"99ms"', '"99999999999h"'], /100ms.*1d/, ['"100ms"', '"1d"']],
  ['health.timeout', ['"0s"', '"999ms"', '"99999999999h"'], /1s.*1h/, ['"1s"', '"60m"']],
  ['health.start_period', ['"99999999999h"', '"8d"'], /0s.*7d/, ['"0s"', '"7d"']],
  ['health.retries', ['0', '1001', '9007199254740991'], /1/, ['1', '1000']],
]

const GATE_KEYS: typeof BACKEND_KEYS = [
  ['gate.memory', ['"0MiB"', '"127MiB"', '"99999999TiB"'], /128MiB.*64TiB/, ['"128MiB"', '"64TiB"']],
  ['gate.cache', ['"2TiB"', '"99999999TiB"'], /0B.*1TiB/, ['"0B"', '"1TiB"']],
  ['gate.server.max_body', ['"0B"', '"1023B"', '"99999999TiB"'], /1KiB.*1TiB/, ['"1KiB"', '"1TiB"']],
  ['gate.server.max_buffered', ['"0B"', '"99999999TiB"'], /1KiB.*64TiB/, ['"1KiB"']],
  ['gate.server.max_connections', ['500001', '9007199254740991'], /500000/, ['1', '500000']],
  ['gate.server.max_connections_per_address', ['500001'], /500000/, ['1', '500000']],
  ['gate.server.drain_timeout', ['"99999999999h"', '"25d"'], /0s.*24d/, ['"0s"', '"24d"']],
  ['gate.server.headers_timeout', ['"0s"', '"99999999999h"'], /1ms.*24d/, ['"1ms"', '"24d"']],
  ['proxy.hsts', ['"99999999999h"', '"3651d"'], /0s.*3650d/, ['"0s"', '"3650d"']],
]

const rows = (keys: typeof BACKEND_KEYS) =>
  keys.flatMap(([key, refused, bound, taken]) => [
    ...refused.map((value) => ({ key, value, bound })),
    ...taken.map((value) => ({ key, value, bound: undefined })),
  ])

describe('A15: a cap that systemd would ignore', () => {
  test.each(rows(BACKEND_KEYS))('backends.b.$key = $value', ({ key, value, bound }) => {
    const found = refusal(`${BACKEND}${key} = ${value}\n`)
    if (bound === undefined) return expect(found).toBeUndefined()
    expect(found).toEqual({ path: `backends.b.${key}`, hint: expect.stringMatching(bound) })
  })

  test.each(rows(GATE_KEYS))('$key = $value', ({ key, value, bound }) => {
    const found = refusal(`${key} = ${value}\n`)
    if (bound === undefined) return expect(found).toBeUndefined()
    expect(found).toEqual({ path: key, hint: expect.stringMatching(bound) })
  })
})
