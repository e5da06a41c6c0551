// What the target nix makes of each golden spec, evaluated with the modules that it is for.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Compiled } from '../../compiler/compile.ts'
import type { OutputFile } from '../../compiler/emit/output.ts'
import { GOLDEN, goldenNames, goldenResult } from '../support/golden.ts'
import { hasNix, parseNix } from '../support/nix.ts'
import { MADE_ON_NIXOS, roundTrip } from '../support/nix-round-trip.ts'
import { directivesOf, directivesOnNixos, evaluateHosts, MODULES, type NixosHost } from '../support/nixos.ts'

type Golden = { readonly name: string; readonly compiled: Compiled; readonly file: string }

/** Of the goldens, those that have a module; the others are of other targets. */
const goldens: Golden[] = goldenNames().flatMap((name) => {
  const { result } = goldenResult(name, { targets: ['nix'] })
  if (result.kind === 'refused') return []
  const file = join(GOLDEN, name, 'expected/nix', `${result.deployment.prefix}.nix`)
  return existsSync(file) ? [{ name, compiled: result, file }] : []
})

/** What a host has besides: the driver of its GPU. */
const HOST = '{ services.xserver.videoDrivers = [ "nvidia" ]; }'

test('there are modules to read', () => expect(goldens.length).toBeGreaterThan(8))

test.each(goldens)('$name: every line has an origin', ({ compiled }) => {
  const module = compiled.files.find(({ path }) => path.endsWith('.nix')) ?? expect.unreachable()
  expect(module.origins).toHaveLength(module.text.split('\n').length - 1)
  for (const { image, origin } of compiled.deployment.containers) {
    const at = module.text.split('\n').findIndex((line) => line.trim() === `image = "${image}";`)
    expect(module.origins[at]).toBe(`${origin.join('.')}.image`)
  }
})

describe.skipIf(!hasNix)('with the modules (needs nix-bin)', () => {
  const hosts = hasNix
    ? evaluateHosts(Object.fromEntries(goldens.map(({ name, file }) => [name, [MODULES, file, HOST]])))
    : {}
  const hostOf = (name: string): NixosHost => hosts[name] ?? expect.unreachable(`${name} was not evaluated`)

  test('every module parses', () => parseNix(goldens.map(({ file }) => file)))

  test.each(goldens)('$name: nothing is wrong on a fitting host', ({ name }) => {
    expect(hostOf(name).failed).toEqual([])
  })

  test.each(goldens)('$name: the spec that comes back makes the same files, relays aside', ({ name, compiled }) => {
    const { cameBack, written } = roundTrip(compiled, hostOf(name))
    expect(cameBack).toEqual(written)
  })

  test.each(goldens)('$name: the units of the target systemd, but for store paths', ({ name, compiled }) => {
    const { services, sockets } = hostOf(name).systemd
    const { unit } = compiled.deployment.gateway
    const made = {
      [`${unit}.service`]: services[unit],
      [`${unit}.socket`]: sockets[unit],
      [`${unit}-admin.socket`]: sockets[`${unit}-admin`],
    }
    const files = goldenFilesOf(name)
    for (const [file, own] of Object.entries(made)) {
      const text = files.find(({ path }) => path === `systemd/system/${file}`)?.text ?? expect.unreachable(file)
      expect(directivesOnNixos(own ?? expect.unreachable(file))).toEqual(directivesOf(text))
    }
  })

  test.each(goldens)('$name: every account of the spec, with its ranges, and every relay', ({ name, compiled }) => {
    const { users, relays } = compiled.deployment
    const { users: accounts } = hostOf(name).users
    for (const { name: account, uid = null, home, subuid } of users)
      expect(accounts[account]).toMatchObject({
        uid,
        home,
        subUidRanges: subuid === undefined ? [] : [{ startUid: subuid.start, count: subuid.count }],
        subGidRanges: subuid === undefined ? [] : [{ startGid: subuid.start, count: subuid.count }],
      })
    const units = Object.keys(hostOf(name).systemd.services).filter((unit) => /relay@./.test(unit))
    expect(units).toEqual(relays.map(({ instance }) => `gate-relay@${instance}`))
  })
})

function goldenFilesOf(name: string): readonly OutputFile[] {
  const { result } = goldenResult(name, { targets: MADE_ON_NIXOS, systemd: 257 })
  return result.kind === 'compiled' ? result.files : expect.unreachable(`${name} does not compile`)
}
