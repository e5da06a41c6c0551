import { expect, test } from 'vitest'
import { takeOver } from '../../../host/apply/take-over.ts'
import type { Host } from '../../../host/host.ts'
import { nothingDesired } from '../../../host/plan/desired.ts'
import { ownershipChanges, ownershipProblems } from '../../../host/plan/ownership.ts'
import { accountsOf, hostOf, type TreeEntry } from '../../support/host-tree.ts'
import { backend, desiredOf } from '../../support/observed-host.ts'

const [GATE, OWN, MODELS] = [990, 40_000, 980]
const ACCOUNTS = accountsOf({ root: 0, gate: GATE, 'gate-own': OWN }, { 'gate-models': [MODELS, 'gate-own'] })
const DESIRED = desiredOf({ backends: { own: backend() } })
const byGate = { uid: GATE, gid: GATE }
const fileOfGate = { ...byGate, kind: 'file', mode: 0o644 } as const

const SETTLED: Record<string, TreeEntry> = {
  '/var/lib/gate': { gid: GATE, mode: 0o1771 },
  '/var/lib/gate/models': { gid: MODELS, mode: 0o750 },
  '/var/lib/gate/models/a': {},
  '/var/lib/gate/models/a/x.gguf': { kind: 'file', mode: 0o644 },
  '/var/lib/gate/gate.db': fileOfGate,
}
/** As versions before made it. */
const OLD: Record<string, TreeEntry> = {
  '/var/lib/gate': { ...byGate, mode: 0o711 },
  '/var/lib/gate/models': { uid: GATE, gid: MODELS, mode: 0o2750 },
}

test.each<{ name: string; tree: Record<string, TreeEntry>; changes: string[]; problems?: RegExp[] }>([
  { name: 'nothing is there yet', tree: {}, changes: [] },
  { name: 'all is as it is to be', tree: SETTLED, changes: [] },
  {
    name: 'a host of the version before',
    tree: {
      ...OLD,
      '/var/lib/gate/models/x.gguf': { ...fileOfGate, gid: MODELS },
      '/var/lib/gate/models/sub': byGate,
      '/var/lib/gate/models/sub/link': { ...byGate, target: '/run/user/40000' },
      '/var/lib/gate/models/sub/roots': { kind: 'file', links: 2 },
    },
    changes: [
      '/var/lib/gate gate:gate 711 -> root:gate 1771',
      '/var/lib/gate/models gate:gate-models 2750 -> root:gate-models 750',
      '/var/lib/gate/models/sub gate:gate 755 -> root:gate-models',
      '/var/lib/gate/models/sub/link gate:gate 755 -> root:gate-models',
      '/var/lib/gate/models/x.gguf gate:gate-models 644 -> root:gate-models',
    ],
  },
  {
    name: 'a file of another backend deep in a directory of root',
    tree: { ...SETTLED, '/var/lib/gate/models/a/b/c': { ...fileOfGate, uid: OWN } },
    changes: ['/var/lib/gate/models/a/b/c gate-own:gate 644 -> root:gate-models'],
  },
  {
    name: 'a link in place of the models',
    tree: { ...SETTLED, '/var/lib/gate/models': { ...byGate, target: '/run/user/40000' } },
    changes: ['/var/lib/gate/models gate:gate 755 -> root:gate-models 750'],
    problems: [/^\/var\/lib\/gate\/models is a link to \/run\/user\/40000$/],
  },
  {
    name: 'a hard link to a file that is elsewhere, too',
    tree: { ...SETTLED, '/var/lib/gate/models/db': { ...fileOfGate, links: 2 } },
    changes: ['/var/lib/gate/models/db gate:gate 644 -> root:gate-models'],
    problems: [/^\/var\/lib\/gate\/models\/db has 2 names/],
  },
  {
    name: 'directories without an end',
    tree: { ...SETTLED, [`/var/lib/gate/models${'/d'.repeat(33)}`]: byGate },
    changes: [`/var/lib/gate/models${'/d'.repeat(33)} gate:gate 755 -> root:gate-models`],
    problems: [/too deep to be a model$/],
  },
])('what is to become the property of root: $name', ({ tree, changes, problems = [] }) => {
  const host = hostOf(tree)
  const said = ownershipChanges(host, DESIRED, ACCOUNTS).map(({ path, from, to }) => `${path} ${from} -> ${to}`)
  expect(said).toEqual(changes)
  const found = ownershipProblems(host, DESIRED, ACCOUNTS)
  expect(found).toEqual(
    problems.map((message) => ({
      code: 'UNSAFE_MODELS',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    })),
  )
})

/** As a generation of the version before has it. */
const OLDER = {
  ...nothingDesired('gate'),
  texts: new Map([
    [
      'systemd/tmpfiles.d/gate.conf',
      'd /var/lib/gate 0711 gate gate -\nd /var/lib/gate/models 02750 gate gate-models -\nd /etc/gate 0755 root root -\n',
    ],
  ]),
}

test('a rollback to a version before gives the directories back, and no model', () => {
  const tree = { ...SETTLED, '/var/lib/gate/models/x.gguf': fileOfGate }
  expect(ownershipChanges(hostOf(tree), OLDER, ACCOUNTS)).toEqual([
    { path: '/var/lib/gate', from: 'root:gate 1771', to: 'gate:gate 711' },
    { path: '/var/lib/gate/models', from: 'root:gate-models 750', to: 'gate:gate-models 2750' },
  ])
})

test('a directory is read when it is the property of root, and not before', async () => {
  const tree: Record<string, TreeEntry> = {
    ...SETTLED,
    '/var/lib/gate/models/sub': byGate,
    '/var/lib/gate/models/sub/x': fileOfGate,
  }
  const done: string[] = []
  const view = hostOf(tree)
  let isTaking = false
  const host = {
    ...view,
    read: (path: string) =>
      path === '/etc/passwd'
        ? `gate:x:${GATE}:${GATE}::/:/bin/false\n`
        : path === '/etc/group'
          ? `gate-models:x:${MODELS}:\n`
          : undefined,
    list: (path: string) => {
      if (isTaking) done.push(`list ${path}`)
      return view.list(path)
    },
    run: async ([program = '']: readonly string[]) => {
      done.length = 0
      done.push(program)
      return { code: 0, stdout: '', stderr: '' }
    },
    takeOwnership: (path: string, gid: number) => {
      isTaking = true
      done.push(`take ${path} ${gid}`)
    },
  } as unknown as Host
  await takeOver(host, DESIRED)
  expect(done).toEqual([
    'systemd-tmpfiles',
    `take /var/lib/gate/models/sub ${MODELS}`,
    'list /var/lib/gate/models/sub',
    `take /var/lib/gate/models/sub/x ${MODELS}`,
  ])
})
