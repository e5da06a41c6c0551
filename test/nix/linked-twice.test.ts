// NixOS links generators of packages and of options into one directory; a name in both does not build (A9).
import { describe, expect, test } from 'vitest'
import { hasNix } from '../support/nix.ts'
import { evaluateSamples, MODULES } from '../support/nixos.ts'

const BACKEND = `services.gate-daemon = { enable = true; backends.one = { engine = "custom"; uid = 40000; image = "example.org/engine@sha256:${'0'.repeat(64)}"; }; };`

const ROWS = [
  { name: 'A9: a gateway with a backend', config: BACKEND, told: [] },
  {
    name: "A9: podman's own user generator named again",
    config: `${BACKEND} systemd.user.generators.podman-user-generator = "/nix/store/podman/g";`,
    told: ['systemd.user.generators.podman-user-generator: systemd.packages links it already'],
  },
  {
    name: 'A9: its system generator named again',
    config: `${BACKEND} systemd.generators.podman-system-generator = "/nix/store/podman/g";`,
    told: ['systemd.generators.podman-system-generator: systemd.packages links it already'],
  },
  {
    name: 'A9: a generator of the host with another name',
    config: `${BACKEND} systemd.user.generators.own = "/nix/store/own/g";`,
    told: [],
  },
  {
    name: 'A9: the same name where no package brings it',
    config: 'services.gate-daemon.enable = true; systemd.user.generators.podman-user-generator = "/nix/store/own/g";',
    told: [],
  },
] as const

describe.skipIf(!hasNix)('generators linked twice (needs nix-bin)', () => {
  const { wrong } = hasNix
    ? evaluateSamples({}, Object.fromEntries(ROWS.map(({ name, config }) => [name, [MODULES, `{ ${config} }`]])))
    : { wrong: {} as ReturnType<typeof evaluateSamples>['wrong'] }

  test.each(ROWS)('$name', ({ name, told }) => expect(wrong[name]?.failed).toEqual(told))
})
