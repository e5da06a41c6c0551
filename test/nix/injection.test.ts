// Hostile texts in every place of a spec at once, through the module that the target nix makes.
import { afterAll, describe, expect, test } from 'vitest'
import { type Compiled, compile } from '../../compiler/compile.ts'
import { sampled } from '../support/effort.ts'
import { harmlessSpec, WAYS } from '../support/harmless-spec.ts'
import { attacks } from '../support/injection.ts'
import { evaluateNix, hasNix } from '../support/nix.ts'
import { roundTrip } from '../support/nix-round-trip.ts'
import { evaluateHosts, MODULES } from '../support/nixos.ts'
import { writtenIn } from '../support/spec-strings.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const ROUNDS = sampled(5, 60)

const moduleOf = ({ files }: Compiled): string =>
  files.find(({ path }) => /^nix\/.*\.nix$/.test(path))?.text ?? expect.unreachable('the module is made')

function harmless(way: (typeof WAYS)[number]): Compiled {
  const result = compile(JSON.stringify(harmlessSpec(way)), { targets: ['nix'] })
  return result.kind === 'compiled' ? result : expect.unreachable(JSON.stringify(result.diagnostics))
}

describe.skipIf(!hasNix)('nix-instantiate (needs nix-bin)', () => {
  const place = temporaryDirectory()
  afterAll(place.remove)

  /** What Nix reads, evaluated together. */
  function read(modules: readonly string[]): unknown[] {
    const files = modules.map((text, i) => {
      // temporaryDirectory writes Latin-1
      place.write(`${i}.nix`, Buffer.from(text).toString('latin1'))
      return `(import ${place.file(`${i}.nix`)})`
    })
    const value = evaluateNix(`[ ${files.join('\n')} ]`)
    return Array.isArray(value) ? value : expect.unreachable('a list')
  }

  test.each(WAYS)(
    'every text is read back as it is, with no option more or less (secrets by %s)',
    (way) => {
      const made = [...attacks(way, { targets: ['nix'] }, { rounds: ROUNDS, seed: 23 })]
      const [first, ...hostile] = read([harmless(way), ...made.map(({ compiled }) => compiled)].map(moduleOf))
      for (const [i, { expected }] of made.entries())
        expect(withoutIds(hostile[i])).toEqual(withoutIds(expected(first)))
    },
    60_000,
  )

  test.each(WAYS)('the modules hand every text on to the compiler as it was (secrets by %s)', (way) => {
    const made = [...attacks(way, { targets: ['nix'] }, { rounds: 20, seed: 31 })]
      // NixOS takes white space alone for no text, and says so
      .map(({ compiled }) => compiled)
      .filter(({ deployment }) => !/[[:,]"\s*"/.test(JSON.stringify(deployment.written)))
    expect(made.length).toBeGreaterThan(8)
    const modules = made.map((compiled, i) => {
      place.write(`${way}-${i}.nix`, Buffer.from(moduleOf(compiled)).toString('latin1'))
      return [`h${100 + i}`, [MODULES, place.file(`${way}-${i}.nix`), HOST]]
    })
    const hosts = Object.values(evaluateHosts(Object.fromEntries(modules)))
    for (const [i, compiled] of made.entries()) {
      const host = hosts[i] ?? expect.unreachable()
      expect(host.failed).toEqual([])
      const { cameBack, written } = roundTrip(compiled, host)
      expect(cameBack).toEqual(written)
    }
  })
})

/** What a host has besides: the driver of its GPU. */
const HOST = '{ services.xserver.videoDrivers = [ "nvidia" ]; }'

/** Numbers of users follow the order of the names. */
function withoutIds(tree: unknown): unknown {
  return JSON.parse(JSON.stringify(tree, (key, value: unknown) => (key === 'uid' || key === 'subIdStart' ? 0 : value)))
}

/** For editors, for hosts without systemd, or without a meaning for a unit, which has no environment. */
const NOWHERE = /^\$schema$|^gate\.image$|\.env$/

test('what every place of the harmless spec says is in the module', () => {
  const written = WAYS.flatMap((way) => {
    const text = moduleOf(harmless(way))
    const isIn = (said: string): boolean => text.includes(said) || text.includes(JSON.stringify(said).slice(1, -1))
    return writtenIn(harmlessSpec(way)).map((one) => ({ ...one, isThere: isIn(one.text) }))
  })
  const found = new Set(written.filter(({ isThere }) => isThere).map(({ key }) => key))
  const silent = new Set(written.map(({ key }) => key).filter((key) => !found.has(key) && !NOWHERE.test(key)))
  expect([...silent]).toEqual([])
  expect(found.size).toBeGreaterThan(50)
})
