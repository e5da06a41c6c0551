// What the NixOS modules make, put where NixOS would put it on a Debian 13: the same systemd and podman, other paths.
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { throwAwayCertificate } from '../support/certificate.ts'
import { hasNix } from '../support/nix.ts'
import { nixStore } from '../support/nix-build.ts'
import { evaluateSamples, MODULES, type NixosHost, unitText } from '../support/nixos.ts'
import { hasProgram } from '../support/programs.ts'
import { bootHost, type Host, write } from './deploy.ts'
import { ENGINE_HEALTH } from './engine/image.ts'
import { describeInLab } from './suite.ts'

/** Three lines, but for where the certificate is. */
const TLS = `{
  services.gate-daemon.domain = "gate.lab";
  services.gate-daemon.tls.files = { cert = "/srv/tls/cert.pem"; key = "/srv/tls/key.pem"; };
}`
const MANAGER = ['systemctl', '--user', '-M', 'gate-own@.host']

describeInLab(
  `NixOS modules${hasNix ? '' : ' [skipped: needs nix-bin]'}`,
  () => {
    let host: Host
    const store = nixStore()
    let hosts: Record<string, NixosHost> = {}
    beforeAll(async () => {
      if (!hasNix) return
      host = await bootHost('nixos')
      const options = (more: string) => `{
      services.gate-daemon = {
        enable = true;
        backends.own = {
          engine = "custom";
          image = ${JSON.stringify(host.images.engine.reference)};
          imageFile = ${JSON.stringify(host.images.engine.archive)};
          uid = 40000;
          args = [ "--listen" "{socket}" ];
          health = { command = ${nixList(ENGINE_HEALTH)}; interval = "500ms"; startPeriod = "20s"; };
          ${more}
        };
      };
    }`
      const before = [MODULES, options('')]
      const after = [MODULES, options('environment.CHANGED = "yes";'), '{ services.gate-daemon.port = 3001; }']
      const tls = [...after, TLS]
      hosts = evaluateSamples({ before, after, tls }, {}).hosts
      await place('before')
    })
    afterAll(async () => {
      await host?.down()
      store.remove()
    })

    /** Programs of the store are those of Debian here. */
    const onDebian = (text: string) =>
      text
        .replaceAll(/[^\s=]+\/[0-9a-z]{32}-gate-image/g, '/opt/fetch-image')
        .replaceAll('/run/current-system/sw/bin', '/usr/bin')
        .replaceAll(
          new RegExp(`(?:${store.path}|/nix/store)/(?:gate|systemd|podman|coreutils|util-linux|nftables)/`, 'g'),
          '/usr/',
        )
        .replaceAll('/usr/bin/nft ', '/usr/sbin/nft ')

    /** Does what a switch does with the files, and with units that have triggers. */
    async function place(name: string) {
      const { builds, users, systemd, environment } = hosts[name] ?? expect.unreachable()
      const [build] = builds
      const out = build === undefined ? expect.unreachable() : store.build(build)
      write(
        host,
        '/opt/fetch-image',
        `#!/bin/sh\n${readFileSync(join(MODULES, 'daemon/fetch-image.sh'), 'utf8')}`,
        0o755,
      )
      for (const [group, { gid }] of Object.entries(users.groups))
        await host.exec(['groupadd', '--system', ...(gid === null ? [] : ['--gid', String(gid)]), group])
      for (const [user, { uid, group, extraGroups, home, linger, subUidRanges }] of Object.entries(users.users)) {
        const ids = uid === null ? [] : ['--uid', String(uid)]
        const groups = extraGroups.length === 0 ? [] : ['--groups', extraGroups.join(',')]
        await host.exec(['useradd', '--system', ...ids, '--gid', group, ...groups, '--home-dir', home, user])
        for (const { startUid = 0, count = 0 } of subUidRanges) {
          const range = `${startUid}-${startUid + count - 1}`
          await host.run(['usermod', '--add-subuids', range, '--add-subgids', range, user])
        }
        if (linger) write(host, `/var/lib/systemd/linger/${user}`, '')
      }
      for (const [path, { source = '' }] of Object.entries(environment.etc))
        cpSync(store.here(source), host.path(`/etc/${path}`), { recursive: true })
      for (const directory of ['/etc/gate/user-units/40000', '/etc/containers/systemd/users/40000'])
        for (const file of readdirSync(host.path(directory), { recursive: true, encoding: 'utf8' }))
          if (/\.(?:service|socket|conf|container)$/.test(file)) {
            const path = `${directory}/${file}`
            write(host, path, onDebian(readFileSync(host.path(path), 'utf8')))
          }
      const units = join(out, 'lib/systemd/system')
      for (const file of readdirSync(units, { recursive: true, encoding: 'utf8' }))
        if (statSync(join(units, file)).isFile())
          write(host, `/etc/systemd/system/${file}`, onDebian(readFileSync(join(units, file), 'utf8')))
      // as NixOS does: a drop-in where a package brings the unit
      for (const [kind, units] of Object.entries({ service: systemd.services, socket: systemd.sockets }))
        for (const [unit, made] of Object.entries(units).filter(([unit]) => unit.startsWith('gate-')))
          write(
            host,
            existsSync(join(out, `lib/systemd/system/${unit}.${kind}`))
              ? `/etc/systemd/system/${unit}.${kind}.d/overrides.conf`
              : `/etc/systemd/system/${unit}.${kind}`,
            onDebian(unitText(made)),
          )
      cpSync(join(out, 'lib/tmpfiles.d/gate.conf'), host.path('/etc/tmpfiles.d/gate.conf'))
      write(host, '/etc/tmpfiles.d/rules.conf', `${systemd.tmpfiles.rules.join('\n')}\n`)
      await host.run(['systemd-tmpfiles', '--create'], { timeoutMs: 60_000 })
      await host.run(['systemctl', 'daemon-reload'])
    }

    const answers = async (port: number) =>
      (await host.exec(['curl', '-sf', '--max-time', '30', `http://127.0.0.1:${port}/health`])).code === 0
    const show = async (property: string, unit: string) =>
      (await host.run([...MANAGER, 'show', '-P', property, unit])).trim()

    test.skipIf(!hasNix)(
      'the image is loaded before the container starts, and only the gateway reaches it (needs nix-bin and the programs of its builds)',
      async () => {
        await host.run(['systemctl', 'start', 'gate-daemon.socket', 'gate-daemon-admin.socket', 'user@40000.service'])
        for (const unit of ['gate-address', 'gate-own-changed'])
          await host.run(['systemctl', 'start', `${unit}.service`])
        await vi.waitUntil(async () => (await show('ActiveState', 'gate-own.service')) === 'active', {
          timeout: 120_000,
        })
        expect(await show('ActiveState', 'gate-own-image.service')).toBe('active')
        const ask = (user: string) =>
          host.exec(
            ['curl', '-sf', '--unix-socket', '/run/gate/backends/own/engine.sock', 'http://localhost/v1/models'],
            { user },
          )
        expect((await ask('gate')).code).toBe(0)
        expect((await ask('nobody')).code).not.toBe(0)
        expect(await answers(3000)).toBe(true)
      },
    )

    test.skipIf(!hasNix)(
      'a switch restarts a changed backend and moves the socket, and nothing else asks for it (needs nix-bin and the programs of its builds)',
      async () => {
        const pid = await show('MainPID', 'gate-own.service')
        await place('after')
        expect(await show('MainPID', 'gate-own.service')).toBe(pid)
        for (const unit of ['gate-address', 'gate-own-changed'])
          await host.run(['systemctl', 'reload', `${unit}.service`], { timeoutMs: 60_000 })
        await vi.waitUntil(async () => answers(3001), { timeout: 60_000 })
        expect(await answers(3000)).toBe(false)
        await vi.waitUntil(async () => !['0', pid].includes(await show('MainPID', 'gate-own.service')), {
          timeout: 60_000,
        })
        await vi.waitUntil(async () => (await show('ActiveState', 'gate-own.service')) === 'active', {
          timeout: 60_000,
        })
        const container = host
          .asUser('gate-own')
          .run(['podman', 'exec', 'gate-own', 'node', '-p', 'process.env.CHANGED'])
        expect((await container).trim()).toBe('yes')
        expect(await show('Result', 'gate-own-update.service')).toBe('success')
      },
    )

    test.skipIf(!hasNix || !hasProgram('openssl'))(
      'three lines more, and https:// answers on 443 from a unit that is hardly exposed (needs nix-bin, openssl and the programs of its builds)',
      async () => {
        const folder = mkdtempSync(join(tmpdir(), 'gate-tls-'))
        const { cert, key } = throwAwayCertificate(folder, ['gate.lab'])
        write(host, '/srv/tls/cert.pem', readFileSync(cert, 'utf8'))
        write(host, '/srv/tls/key.pem', readFileSync(key, 'utf8'), 0o640)
        rmSync(folder, { recursive: true })
        await host.run(['chgrp', 'gate', '/srv/tls/key.pem'])
        await place('tls')
        // as a switch does with a changed unit
        await host.run(['systemctl', 'restart', 'gate-daemon.service'], { timeoutMs: 60_000 })
        const curl = ['curl', '-sS', '--max-time', '20', '--cacert', '/srv/tls/cert.pem', '-o', '/dev/null']
        const ask = async (url: string) =>
          (
            await host.exec([
              ...curl,
              '--resolve',
              '*:443:127.0.0.1',
              '--resolve',
              '*:80:127.0.0.1',
              '-w',
              '%{http_code}',
              url,
            ])
          ).stdout
        expect(await ask('https://gate.lab/health')).toBe('200')
        expect(await ask('http://gate.lab/health')).toBe('308')
        const exposed = await host.exec(['systemd-analyze', 'security', '--threshold=15', 'gate-daemon.service'])
        expect(exposed.code).toBe(0)
      },
    )
  },
  { onlyLong: true },
)

const nixList = (texts: readonly string[]): string => `[ ${texts.map((text) => JSON.stringify(text)).join(' ')} ]`
