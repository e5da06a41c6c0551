import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { inject } from 'vitest'
import { type Compiled, compile } from '../../compiler/compile.ts'
import type { Images } from './engine/image.ts'
import { bootLab, type Lab } from './lab.ts'

/** A lab as a host to deploy to: Gate's programs are there, podman works, the network is "online". */
export type Host = Lab & { readonly images: Images }

/**
 * Boots one. Archives of the test images are below /srv/images.
 * @param gate directories to lay over Debian's files: the staged Gate, or the package for tests that install it
 */
export async function bootHost(name: string, gate: readonly string[] = [inject('staged')]): Promise<Host> {
  const images = inject('images')
  if (images === undefined) throw new Error('no lab here')
  const lab = await bootLab(name, [...gate, images.layer])
  write(lab, '/etc/systemd/system/lab-network.service', NETWORK)
  write(lab, '/etc/containers/containers.conf.d/lab.conf', CONTAINERS)
  write(lab, '/usr/local/bin/crun-without-limits', CRUN, 0o755)
  await lab.run(['systemctl', 'daemon-reload'])
  await lab.run(['systemctl', 'enable', '--now', 'lab-network.service'])
  return { ...lab, images }
}

// rootless quadlets wait until the system is online: podman-user-wait-network-online.service
const NETWORK = `[Unit]
Description=Network of the lab, which is nothing but loopback
Wants=network-online.target
Before=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true

[Install]
WantedBy=multi-user.target
`

// A lab has no cgroup controllers, and crun refuses limits that it cannot set.
const CONTAINERS = `[containers]
pids_limit = 0
[engine.runtimes]
crun = ["/usr/local/bin/crun-without-limits"]
`

const CRUN = `#!/bin/sh
# crun for a kernel without controllers: the limit of processes is taken out of config.json before it is read
previous=
for argument; do
  [ "$previous" != --bundle ] ||
    sed -i 's/,"pids":{"limit":[0-9]*}//; s/"pids":{"limit":[0-9]*},*//' "$argument/config.json"
  previous=$argument
done
exec /usr/bin/crun "$@"
`

/** Writes a file inside, and the directories above it. */
export function write(lab: Lab, path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(lab.path(path)), { recursive: true })
  writeFileSync(lab.path(path), text, { mode })
}

const TARGETS = ['quadlet', 'systemd', 'declared'] as const

/**
 * Deploys a spec without `gatectl apply`: the steps of the generated README.txt, one by one. Backends get `image`
 * loaded; units of users are reloaded, and started where they start at boot.
 */
export async function deployByHand(host: Host, spec: string, image = host.images.engine): Promise<Compiled> {
  const compiled = compile(spec, { targets: TARGETS })
  if (compiled.kind === 'refused') throw new Error(JSON.stringify(compiled.diagnostics, undefined, 2))
  for (const { install, text, mode } of compiled.files) if (install !== undefined) write(host, install, text, mode)
  await host.run(['systemd-sysusers'])
  const lock = JSON.parse(compiled.files.find(({ path }) => path === 'gate.lock.json')?.text ?? '') as {
    users: Record<string, { uid: number; subuid: number }>
  }
  const users = Object.entries(lock.users).map(([backend, ids]) => ({ name: `gate-${backend}`, ...ids }))
  for (const { name, subuid } of users) {
    const range = `${subuid}-${subuid + 65_535}`
    await host.run(['usermod', '--add-subuids', range, '--add-subgids', range, name])
  }
  await host.run(['systemd-tmpfiles', '--create'], { timeoutMs: 60_000 })
  await host.run(['systemctl', 'daemon-reload'])
  for (const { name, uid } of users) {
    await host.run(['systemctl', 'start', `user@${uid}.service`])
    await host.asUser(name).run(['podman', 'load', '--quiet', '--input', image.archive], { timeoutMs: 120_000 })
    const userctl = ['systemctl', '--user', '-M', `${name}@.host`]
    await host.run([...userctl, 'daemon-reload'])
    await host.run([...userctl, 'start', 'sockets.target', 'default.target'], { timeoutMs: 120_000 })
  }
  await host.run(['systemctl', 'enable', '--now', 'gate-daemon.socket', 'gate-daemon-admin.socket'])
  return compiled
}
