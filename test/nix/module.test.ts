import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Compiled } from '../../compiler/compile.ts'
import type { OutputFile } from '../../compiler/emit/output.ts'
import { GOLDEN, goldenNames, goldenResult } from '../support/golden.ts'
import { hasNix, parseNix } from '../support/nix.ts'
import { directivesOf, directivesOnNixos, evaluateHosts, type NixosHost } from '../support/nixos.ts'

type Golden = { readonly name: string; readonly compiled: Compiled; readonly file: string }

const goldens: Golden[] = goldenNames().flatMap((name) => {
  const { result } = goldenResult(name, {
    targets: ['nix', 'quadlet', 'systemd', 'nginx', 'dnsmasq', 'client', 'declared'],
  })
  if (result.kind === 'refused') return []
  return [{ name, compiled: result, file: join(GOLDEN, name, 'expected/nix', `${result.deployment.prefix}.nix`) }]
})
/** A golden may be of other targets only. */
const committed = goldens.filter(({ file }) => existsSync(file))

/** On NixOS, programs of a plain unit are in the store; only the first word of ExecStart= is one. */
function onNixos({ text }: OutputFile): string {
  return text
    .replace(/^ExecStart=\/usr\/bin\/gate-agent(?= )/m, 'ExecStart=/nix/store/gate/bin/gate-agent')
    .replace(/^ExecStart=\/usr\/lib\/systemd\/(?=systemd-socket-proxyd )/m, 'ExecStart=/nix/store/systemd/lib/systemd/')
}

/** The files of other targets by their names below /etc on NixOS; accounts and units are options there. */
function etcFiles({ files }: Compiled): Record<string, string> {
  return Object.fromEntries(
    files
      .filter(({ path, install }) => install !== undefined && !/^systemd\/|^dnsmasq\/.*\.service$/.test(path))
      .map((file) => {
        const { path, install = '' } = file
        if (!path.startsWith('quadlet/user-units/')) return [install.slice('/etc/'.length), file.text]
        return [path.replace('quadlet/', `${/\/var\/lib\/(.*)-backends\//.exec(install)?.[1]}/`), onNixos(file)]
      }),
  )
}

test('there are modules to read', () => expect(committed.length).toBeGreaterThan(3))

test.each(committed)('$name: every line has an origin, that of a quadlet is the same', ({ compiled }) => {
  const module = compiled.files.find(({ path }) => path.endsWith('.nix')) ?? expect.unreachable()
  const lines = module.text.split('\n').slice(0, -1)
  expect(module.origins).toHaveLength(lines.length)
  const images = compiled.deployment.containers.map(({ image, origin }) => ({
    image,
    origin: `${origin.join('.')}.image`,
  }))
  for (const { image, origin } of images) {
    const at = lines.flatMap((line, i) => (line.trim() === `"Image=${image}"` ? [module.origins[i]] : []))
    expect(at).toContain(origin)
  }
})

describe.skipIf(!hasNix)('nix-instantiate (Debian package nix-bin) and a module system of our own', () => {
  const hosts: Record<string, NixosHost> = hasNix
    ? evaluateHosts(Object.fromEntries(committed.map(({ name, file }) => [name, [file]])))
    : {}
  const hostOf = (name: string): NixosHost => hosts[name] ?? expect.unreachable(`${name} was not evaluated`)

  test('parse every module', () => parseNix(committed.map(({ file }) => file)))

  test.each(committed)('$name: the files below /etc are those of the other targets', ({ name, compiled }) => {
    const etc = Object.entries(hostOf(name).environment.etc).map(([path, { text }]) => [path, text])
    expect(Object.fromEntries(etc)).toEqual(etcFiles(compiled))
  })

  test.each(committed)('$name: the units of the target systemd, but for store paths', ({ name, compiled }) => {
    const { services, sockets } = hostOf(name).systemd
    const units = compiled.files.filter(({ install }) => install?.startsWith('/etc/systemd/system/'))
    const expected = units.map(({ install, text }) => {
      const [, unit = '', kind = '', dropIn] = /system\/([^/]+)\.(service|socket)(\.d\/.*)?$/.exec(install ?? '') ?? []
      const directives = directivesOf(text)
      // a template cannot be wanted, its instances are; on Debian "systemctl enable" does that
      if (unit.endsWith('@')) delete directives['Install.WantedBy']
      else if (/-relay(?:-[a-z0-9]+)?@/.test(unit))
        directives['Install.WantedBy'] = [kind === 'socket' ? 'sockets.target' : 'multi-user.target']
      return [`${unit}.${kind}`, { directives, isDropIn: dropIn !== undefined }]
    })
    const made = Object.entries({ service: services, socket: sockets }).flatMap(([kind, all]) =>
      Object.entries(all).map(([unit, options]) => [
        `${unit}.${kind}`,
        { directives: directivesOnNixos(options), isDropIn: options.overrideStrategy === 'asDropin' },
      ]),
    )
    expect(Object.fromEntries(made)).toEqual(Object.fromEntries(expected))
    const { unit: daemon, declaredConfig } = compiled.deployment.gateway
    for (const [unit, { stopIfChanged, reloadTriggers }] of Object.entries(services))
      expect({ unit, stopIfChanged, reloadTriggers }).toEqual(
        unit === daemon
          ? { unit, stopIfChanged: false, reloadTriggers: ['/nix/store/etc-declared.json'] }
          : { unit, stopIfChanged: true, reloadTriggers: [] },
      )
    for (const [unit, { restartTriggers }] of Object.entries(services))
      expect({ unit, restartTriggers }).toEqual({
        unit,
        restartTriggers: unit.endsWith('-dns') ? ['/nix/store/etc-dnsmasq.conf'] : [],
      })
    expect(Object.keys(hostOf(name).environment.etc)).toContain(declaredConfig.slice('/etc/'.length))
    for (const [unit, { restartIfChanged }] of Object.entries(services))
      expect({ unit, restartIfChanged }).toEqual({ unit, restartIfChanged: !unit.startsWith('user@') })
  })

  test.each(committed)('$name: every account, with linger and ranges, and every group', ({ name, compiled }) => {
    const { users, groups } = compiled.deployment
    const host = hostOf(name)
    expect(Object.keys(host.users.users).sort()).toEqual(users.map((user) => user.name).sort())
    for (const { name: account, uid = null, home, groups: extraGroups, linger, description, subuid } of users) {
      expect(host.users.users[account]).toEqual({
        isSystemUser: true,
        uid,
        group: account,
        extraGroups,
        home,
        linger,
        description,
        subUidRanges: subuid === undefined ? [] : [{ startUid: subuid.start, count: subuid.count }],
        subGidRanges: subuid === undefined ? [] : [{ startGid: subuid.start, count: subuid.count }],
      })
      expect(host.users.groups[account]).toEqual({ gid: uid })
    }
    const all = [...groups, ...users].map((group) => group.name)
    expect(Object.keys(host.users.groups).sort()).toEqual(all.sort())
  })

  test.each(committed)(
    '$name: every directory and link, and a link to the units of each backend',
    ({ name, compiled }) => {
      const { directories, links, agents } = compiled.deployment
      const rules = hostOf(name).systemd.tmpfiles.rules.map((rule) => rule.split(' '))
      const made = rules
        .filter(([type]) => type === 'd')
        .map(([, path, mode, user, group]) => ({ path, mode, user, group }))
      const isUnits = (path: string): boolean => path.endsWith('/.config/systemd/user')
      expect(made).toEqual(
        directories
          .filter(({ path }) => !isUnits(path))
          .map(({ path, mode, user, group }) => ({ path, mode: `0${mode.toString(8)}`, user, group })),
      )
      const linked = rules
        .filter(([type]) => type === 'L+')
        .map((rule) => ({ path: rule[1] ?? '', target: rule[6] ?? '' }))
      expect(linked.filter(({ path }) => !isUnits(path))).toEqual(links.map(({ path, target }) => ({ path, target })))
      expect(linked.filter(({ path }) => isUnits(path))).toHaveLength(agents.length)
      const etc = Object.keys(hostOf(name).environment.etc)
      for (const { target } of linked.filter(({ path }) => isUnits(path)))
        expect(etc).toContain(`${target.slice('/etc/'.length)}/gate-agent.socket`)
      expect(rules.length).toBe(made.length + linked.length)
    },
  )

  test.each(committed)('$name: the ports of the firewall, and no other', ({ name, compiled }) => {
    const { firewall } = hostOf(name).networking
    const open = Object.entries({ ...firewall.interfaces, '': firewall }).flatMap(([name, ports]) => [
      ...ports.allowedTCPPorts.map((port) => `${name} tcp ${port}`),
      ...ports.allowedUDPPorts.map((port) => `${name} udp ${port}`),
    ])
    const rules = compiled.deployment.firewall.map((rule) => `${rule.interface ?? ''} ${rule.protocol} ${rule.port}`)
    expect(open.sort()).toEqual([...new Set(rules)].sort())
  })

  test.each(committed)(
    '$name: podman with its generator, the proxy and GPU drivers where needed',
    ({ name, compiled }) => {
      const { containers } = compiled.deployment
      const { virtualisation, hardware, services, systemd } = hostOf(name)
      expect(virtualisation.podman.enable).toBe(containers.length > 0)
      expect(Object.keys(systemd.user.generators)).toEqual(containers.length > 0 ? ['podman-user-generator'] : [])
      expect(services.nginx).toEqual(
        compiled.files.some(({ path }) => path.startsWith('nginx/'))
          ? { enable: true, appendHttpConfig: `include /nix/store/etc-${compiled.deployment.prefix}.conf;` }
          : { enable: false, appendHttpConfig: '' },
      )
      expect(hardware['nvidia-container-toolkit'].enable).toBe(containers.some(({ gpu }) => gpu === 'nvidia'))
    },
  )

  test.each(committed)(
    '$name: nothing is wrong on a fitting host; images by tag are warned of',
    ({ name, compiled }) => {
      const { failed, warnings } = hostOf(name)
      const tagged = compiled.deployment.containers.filter(({ image }) => !image.includes('@'))
      expect(failed).toEqual([])
      expect(warnings).toHaveLength(tagged.length)
    },
  )
})
