// A11: options that only a newer NixOS has are not named; test/nix/nixos.nix lists those of 24.11.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hasNix } from '../support/nix.ts'
import { evaluateSamples, MODULES } from '../support/nixos.ts'

/** Name -> the release that it came with. */
const NEWER = { enableDefaultPath: '26.05', enableStrictShellChecks: '25.05', 'systemd.oomd.settings': '25.11' }

const files = readdirSync(MODULES, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.nix'))

test.each(Object.entries(NEWER))('A11: no module names %s, which came with NixOS %s', (option) => {
  expect(files.length).toBeGreaterThan(15)
  expect(files.filter((file) => readFileSync(join(MODULES, file), 'utf8').includes(option))).toEqual([])
})

describe.skipIf(!hasNix)('services without the search path of NixOS (needs nix-bin)', () => {
  const host = `{ services.gate-daemon = { enable = true; backends.one = { engine = "custom"; uid = 40000; image = "example.org/engine@sha256:${'0'.repeat(64)}"; }; }; services.gate-relay = { enable = true; instances.public = { }; }; }`
  const { hosts } = hasNix
    ? evaluateSamples({ host: [MODULES, host] }, {})
    : { hosts: {} as ReturnType<typeof evaluateSamples>['hosts'] }

  test.each(['gate-daemon', 'gate-relay@', 'gate-relay@public', 'user@40000'])('A11: %s', (unit) => {
    expect(hosts['host']?.systemd.services[unit]?.path).toEqual([])
  })

  test('A11: an option that NixOS 24.11 has not is refused by the stand-in', () => {
    const newer = '{ systemd.services.a.enableDefaultPath = false; }'
    expect(() => evaluateSamples({ newer: [newer] }, {})).toThrow('no such option')
  })
})
