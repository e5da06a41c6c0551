import { compile } from '../../compiler/compile.ts'
import { DEPLOYED_TARGETS, type Desired, desiredState } from '../../host/plan/desired.ts'
import { NOTHING_MADE, type Observed, type SeenFile } from '../../host/plan/observe.ts'
import { unitKey } from '../../host/running.ts'
import type { Generation } from '../../schemas/deploy/generation.ts'

const IMAGE = `localhost/engine@sha256:${'0'.repeat(64)}`

/** A backend of the spec. */
export const backend = (more: object = {}) => ({
  engine: 'custom',
  image: IMAGE,
  listen: 'unix',
  args: ['--listen', '{socket}'],
  health: { command: ['true', '1'] },
  ...more,
})

/** What apply makes of a spec. */
export function desiredOf(spec: object): Desired {
  const result = compile(JSON.stringify(spec), { targets: DEPLOYED_TARGETS })
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics))
  return desiredState(result, JSON.stringify(spec))
}

export const twoBackends = { one: backend(), two: backend({ idle_stop: '5m' }) }
/** Two backends, the second on demand. */
export const TWO = desiredOf({ backends: twoBackends })

/** A host with nothing of Gate on it. */
export const NO_OBSERVATION: Observed = {
  accounts: { users: new Map(), groups: new Map(), subuids: [], subgids: [], linger: new Set() },
  elsewhere: [],
  generations: { directory: '/var/lib/gate-deploy', manifests: new Map(), current: undefined, committed: undefined },
  made: NOTHING_MADE,
  files: new Map(),
  conffiles: new Set(),
  links: new Map(),
  missingDirectories: [],
  ownership: [],
  missingImages: [],
  missingSecrets: [],
  running: new Set(),
  enabled: new Set(),
  planted: [],
  managers: new Set(),
}

/** A host on which everything of this generation is in place and runs. */
export function settled({ generation, texts }: Desired): Observed {
  const { accounts, groups } = generation
  const ranges = accounts.flatMap(({ name, subuid }) => (subuid === undefined ? [] : [{ owner: name, ...subuid }]))
  const members = (group: string) => accounts.filter((user) => user.groups.includes(group)).map(({ name }) => name)
  const files = generation.files.flatMap(({ path, install, mode }): [string, SeenFile][] =>
    install === undefined ? [] : [[install, { kind: 'file', text: texts.get(path) ?? '', mode }]],
  )
  const lingering = accounts.filter(({ linger }) => linger).map(({ name }) => name)
  return {
    ...NO_OBSERVATION,
    accounts: {
      users: new Map(
        accounts.map(({ name, home, uid = 990 }) => [name, { name, home, uid, gid: uid, shell: '/usr/sbin/nologin' }]),
      ),
      groups: new Map(groups.map((name, i) => [name, { name, gid: 980 + i, members: members(name) }])),
      subuids: ranges,
      subgids: ranges,
      linger: new Set(lingering),
    },
    generations: generationsOf({ 1: generation }, 1, 1),
    made: { ...NO_OBSERVATION.made, accounts: accounts.map(({ name }) => name), linger: lingering },
    files: new Map(files),
    links: new Map(generation.links.map(({ path, target }) => [path, target])),
    running: new Set(generation.units.filter(({ runs }) => runs === 'always').map(unitKey)),
    enabled: new Set(generation.units.filter(({ enable }) => enable).map(({ name }) => name)),
    managers: new Set(lingering),
  }
}

/** Kept generations by number. */
export function generationsOf(manifests: Record<number, Generation>, current: number, committed: number) {
  const numbered = Object.entries(manifests).map(([number, generation]) => [Number(number), generation] as const)
  return { directory: '/var/lib/gate-deploy', manifests: new Map(numbered), current, committed }
}
