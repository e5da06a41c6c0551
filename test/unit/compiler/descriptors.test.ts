import { expect, test } from 'vitest'
import { PROFILES } from '../../../compiler/catalog/profiles.ts'
import { compile } from '../../../compiler/compile.ts'
import { shippedFiles } from '../../../compiler/emit/systemd/shipped.ts'

/** The number that a target writes for a spec. */
function limitOf(target: 'systemd' | 'launchd', gate: string): number {
  const made = compile(gate, { targets: [target] })
  if (made.kind === 'refused') throw new Error(JSON.stringify(made.diagnostics))
  const text = made.files.map((file) => file.text).join('')
  const pattern = { systemd: /LimitNOFILE=(\d+)/, launchd: /NumberOfFiles<\/key>\s*<integer>(\d+)/ }[target]
  return Number(pattern.exec(text)?.[1])
}

test.each([
  { gate: '', systemd: 65_536, launchd: 5_024 },
  { gate: 'gate.profile = "large-vps"', systemd: 65_536, launchd: 41_024 },
  { gate: 'gate.server.max_connections = 1', systemd: 65_536, launchd: 1_026 },
  { gate: 'gate.server.max_connections = 32256', systemd: 65_536, launchd: 65_536 },
  { gate: 'gate.server.max_connections = 32257', systemd: 65_538, launchd: 65_538 },
  { gate: 'gate.server.max_connections = 100000', systemd: 201_024, launchd: 201_024 },
])('$gate allows two descriptors per connection and a reserve', ({ gate, systemd, launchd }) => {
  expect([limitOf('systemd', gate), limitOf('launchd', gate)]).toEqual([systemd, launchd])
})

test('the shipped unit is large enough for the connections of the default configuration', () => {
  expect(shippedFiles()['gate-daemon.service']).toContain('LimitNOFILE=65536\n')
})

// the NixOS module takes the least for a profile
test.each(Object.entries(PROFILES))('the profile %s needs no more than the least', (_, { maxConnections }) => {
  expect(maxConnections * 2 + 1024).toBeLessThanOrEqual(65_536)
})
