import { describe, expect, test } from 'vitest'
import { hasNix } from '../support/nix.ts'
import { evaluateHosts } from '../support/nixos.ts'

/** Each is refused with a message that says where and what. */
const WRONG = [
  ['users.users.gate.isSytemUser = true;', 'no such option: users.users.gate.isSytemUser'],
  ['service.nginx.enable = true;', 'no such option: service'],
  ['virtualisation.podman.enable = "yes";', 'virtualisation.podman.enable: expected a boolean, got string'],
  [
    'networking.firewall.allowedTCPPorts = [ "80" ];',
    'networking.firewall.allowedTCPPorts: expected a port, got string',
  ],
  ['networking.firewall.allowedTCPPorts = [ 65536 ];', 'networking.firewall.allowedTCPPorts: expected a port, got int'],
  ['systemd.tmpfiles.rules = "d /x";', 'systemd.tmpfiles.rules: expected a list of a text, got string'],
  ['users.users.a.home = "home";', 'users.users.a.home: expected an absolute path, got string'],
  ['users.users.A = { };', 'users.users.A.name: expected a text like'],
  [`users.users.${'a'.repeat(32)} = { };`, '.name: expected a text like'],
  ['users.users.a.subUidRanges = [ { count = 1; } ];', 'users.users.a.subUidRanges.startUid: used, but not defined'],
  [
    'systemd.services.a.serviceConfig.ExecStart = { };',
    'systemd.services.a.serviceConfig.ExecStart: expected a text, number',
  ],
  ['imports = [ { users.users.a.uid = 1; } ]; users.users.a.uid = 2;', 'users.users.a.uid: defined twice, differently'],
  ['assertions = [ { assertion = true; } ];', 'assertions.message: used, but not defined'],
  ['options = { }; users.users.a = { };', 'a module with options or config cannot also have ["users"]'],
] as const

const RIGHT: Record<string, string> = {
  'a condition on an option of the same module':
    '({ config, lib, ... }: { hardware.nvidia-container-toolkit.enable = true; virtualisation = lib.mkIf config.hardware.nvidia-container-toolkit.enable { podman.enable = true; }; })',
  'a default that is overridden':
    '({ lib, ... }: { users.users.a.uid = lib.mkDefault 1; imports = [ { users.users.a.uid = 2; } ]; })',
  'a value that is forced':
    '({ lib, ... }: { users.users.a.uid = lib.mkForce 2; imports = [ { users.users.a.uid = 1; } ]; })',
  'lists that are joined': '({ lib, ... }: { warnings = lib.mkMerge [ [ "a" ] (lib.mkIf false [ "b" ]) [ "c" ] ]; })',
  'a directive written once and as a list':
    '{ systemd.services.a.serviceConfig = { ExecStart = [ "a" "b" ]; TimeoutStopSec = 5; RemainAfterExit = true; }; }',
}

describe.skipIf(!hasNix)('nix-instantiate (needs nix-bin) and a module system of our own', () => {
  test.each(WRONG)('refuse { %s }', (module, message) => {
    expect(() => evaluateHosts({ a: [`{ ${module} }`] })).toThrow(message)
  })

  test('evaluate conditions, priorities and lists', () => {
    const [condition, byDefault, forced, joined, directive] = Object.values(RIGHT)
    const host = (module: string | undefined): string[] => [module ?? '']
    const hosts = evaluateHosts({
      a: host(condition),
      b: host(byDefault),
      c: host(forced),
      d: host(joined),
      e: host(directive),
    })
    expect(hosts['a']?.virtualisation.podman.enable).toBe(true)
    expect(hosts['b']?.users.users['a']?.uid).toBe(2)
    expect(hosts['c']?.users.users['a']?.uid).toBe(2)
    expect(hosts['d']?.warnings).toEqual(['a', 'c'])
    expect(hosts['e']?.systemd.services['a']?.serviceConfig?.['ExecStart']).toEqual(['a', 'b'])
  })
})
