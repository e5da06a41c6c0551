import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { shippedFiles } from '../../../compiler/emit/systemd/shipped.ts'
import { isLong } from '../../support/effort.ts'
import { goldenFiles, goldensOf } from '../../support/golden.ts'
import { hostRoot, startable } from '../../support/host-root.ts'

const version = Number(
  /^systemd (\d+)/.exec(spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' }).stdout)?.[1],
)
const OLDEST = 252
/** systemd-analyze security: 0 is best, 10 is no protection at all. */
const HIGHEST_EXPOSURE = 1.5
const hasReader = version >= OLDEST
const title = hasReader ? `systemd ${version}` : `systemd (needs systemd-analyze ${OLDEST} or newer)`

/** The files of the goldens of this target, for one systemd. */
const compiled = (systemd: number) =>
  goldensOf('systemd').map((name) => ({ name, files: goldenFiles(name, { targets: ['systemd'], systemd }) }))

test('there are specs to compare', () => expect(compiled(257).length).toBeGreaterThan(5))

test.each(Object.keys(shippedFiles()).filter((path) => !path.includes('/')))(
  'systemd/%s and what the compiler makes of a spec that says little have the same directives, but for those of the spec',
  (unit) => {
    const spec = /-https?\.socket$/.test(unit) ? 'tls-internal-ca' : 'minimal'
    const files = goldenFiles(spec, { targets: ['systemd'] })
    const made = files.find(({ path }) => path === `systemd/system/${unit}`)
    const ofSpec = /^(?:#|ExecStart=|MemoryHigh=|MemoryMax=|StateDirectoryMode=)/
    const directives = (text: string) => text.split('\n').filter((line) => !ofSpec.test(line))
    expect(directives(made?.text ?? '')).toEqual(directives(shippedFiles()[unit] ?? ''))
  },
)

describe.skipIf(!hasReader)(title, () => {
  test.each(compiled(Math.max(version, OLDEST)))('finds nothing wrong with the units of $name', ({ files }) => {
    const { root } = hostRoot(files)
    const units = startable(files)
    expect(units.length).toBeGreaterThan(2)
    const { status, stdout, stderr } = analyze('verify', '--man=no', `--root=${root}`, ...units)
    expect(stdout + stderr).toBe('')
    expect(status).toBe(0)
  })

  const rated = (isLong ? [OLDEST, 253, 257] : [OLDEST]).flatMap((systemd) =>
    compiled(systemd).map((one) => ({ ...one, systemd })),
  )

  test.each(rated)('rates the services of $name for systemd $systemd as hardly exposed', ({ files }) => {
    const { root } = hostRoot(files)
    const services = startable(files).filter((unit) => /(?:-daemon|-relay@.*|-ca|-ca-renew)\.service$/.test(unit))
    expect(services.length).toBeGreaterThan(0)
    for (const service of services) {
      const { stdout } = analyze('security', '--offline=yes', '--no-pager', `--root=${root}`, service)
      const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1])
      expect({ service, tooHigh: !(exposure <= HIGHEST_EXPOSURE) && exposure }).toEqual({ service, tooHigh: false })
    }
  })
})

function analyze(...args: readonly string[]) {
  return spawnSync('systemd-analyze', args, { encoding: 'utf8' })
}
