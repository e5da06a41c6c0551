import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Applied, applyPlan } from '../../../host/apply/apply.ts'
import { type Host, localHost } from '../../../host/host.ts'
import { type Desired, nothingDesired, sha256 } from '../../../host/plan/desired.ts'
import { observe } from '../../../host/plan/observe.ts'
import { makePlan } from '../../../host/plan/plan.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

// Fault A2: a first apply that failed left the gateway of the package stopped.

const UNITS = ['gate-daemon.service', 'gate-daemon.socket', 'gate-daemon-admin.socket']
let root: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  root = temporaryDirectory()
})
afterEach(() => root.remove())

/** A host below a directory, with a systemd that knows what runs and starts at boot. */
function hostWith(units: { readonly running: readonly string[]; readonly enabled: readonly string[] }) {
  const running = new Set(units.running)
  const enabled = new Set(units.enabled)
  const own = localHost()
  const at = (path: string) => root.file(path.slice(1))
  let isBroken = true
  const done = { code: 0, stdout: '', stderr: '' }
  const host: Host = {
    ...own,
    read: (path) => own.read(at(path)),
    readUntrusted: () => undefined,
    status: (path) => own.status(at(path)),
    list: (path) => own.list(at(path)),
    write: (path, text, mode) => own.write(at(path), text, mode),
    link: (path, target) => own.link(at(path), target),
    takeOwnership: () => {},
    makeDirectory: (path, mode) => own.makeDirectory(at(path), mode),
    rename: (from, to) => own.rename(at(from), at(to)),
    remove: (path) => own.remove(at(path)),
    removeEmpty: (path) => own.removeEmpty(at(path)),
    removeTree: (path) => own.removeTree(at(path)),
    ask: async ([, verb, ...rest]) => {
      if (verb !== 'show') return done
      const blocks = rest
        .filter((word) => word.startsWith('gate-'))
        .map(
          (name) =>
            `Id=${name}\nActiveState=${running.has(name) ? 'active' : 'failed'}\nUnitFileState=${enabled.has(name) ? 'enabled' : 'disabled'}\n`,
        )
      return { ...done, stdout: blocks.join('\n') }
    },
    run: async (command) => {
      const names = command.filter((word) => word.startsWith('gate-'))
      const verb = command.find((word) => ['start', 'stop', 'restart', 'enable', 'disable'].includes(word))
      for (const name of names) {
        if (verb === 'stop') running.delete(name)
        if (verb === 'enable') enabled.add(name)
        if (verb === 'disable') enabled.delete(name)
        if (verb !== 'start' && verb !== 'restart') continue
        const isOwn = own.status(at('/etc/systemd/system/gate-daemon.service')) !== undefined
        if (isOwn && isBroken && name.endsWith('.service')) {
          running.delete(name)
          return { code: 1, stdout: '', stderr: 'failed' }
        }
        running.add(name)
      }
      return done
    },
  }
  mkdirSync(dirname(at('/etc/systemd/system/x')), { recursive: true })
  mkdirSync(at('/var/lib'), { recursive: true })
  for (const file of ['passwd', 'group', 'subuid', 'subgid']) writeFileSync(at(`/etc/${file}`), '')
  const mend = () => {
    isBroken = false
  }
  return { host, running, enabled, mend }
}

function gateway(): Desired {
  const nothing = nothingDesired('gate')
  const path = 'systemd/gate-daemon.service'
  const install = '/etc/systemd/system/gate-daemon.service'
  const text = '[Service]\nExecStart=/bin/false\n'
  return {
    texts: new Map([[path, text]]),
    models: [],
    mounts: [],
    generation: {
      ...nothing.generation,
      files: [{ path, install, mode: 0o644, sha256: sha256(text) }],
      units: UNITS.map((name) => ({
        manager: 'system',
        name,
        files: [path],
        reloads: [],
        runs: 'always',
        enable: true,
        timeoutMs: 1_000,
      })),
    },
  }
}

async function apply(host: Host): Promise<Applied> {
  const desired = gateway()
  const observed = await observe(host, desired)
  const context = {
    step: <T>(_: string, work: (say: () => void) => Promise<T>) => work(() => {}),
    limits: { timeoutMs: 1_000 },
    keep: 3,
  }
  return applyPlan(host, makePlan(desired, observed), observed, context)
}

test.each([
  { name: 'the service and both sockets of the package', running: UNITS, enabled: UNITS },
  { name: 'sockets alone, whose service no client has woken', running: UNITS.slice(1), enabled: UNITS.slice(1) },
  { name: 'what was started by hand and does not start at boot', running: UNITS, enabled: [] },
  { name: 'nothing', running: [], enabled: [] },
])('A2: after a first apply that fails, $name runs again, twice', async ({ running, enabled }) => {
  const world = hostWith({ running, enabled })
  for (let i = 0; i < 2; i++) {
    expect(await apply(world.host)).toMatchObject({ kind: 'rolled-back', to: undefined })
    expect([...world.running].sort()).toEqual([...running].sort())
    expect([...world.enabled].sort()).toEqual([...enabled].sort())
    expect(world.host.status('/etc/systemd/system/gate-daemon.service')).toBeUndefined()
  }
})

test('A2: once the spec is mended, the same host applies it', async () => {
  const world = hostWith({ running: UNITS, enabled: UNITS })
  await apply(world.host)
  world.mend()
  expect(await apply(world.host)).toMatchObject({ kind: 'applied' })
  expect([...world.running].sort()).toEqual([...UNITS].sort())
})
