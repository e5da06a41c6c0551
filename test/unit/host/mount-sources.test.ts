import { expect, test } from 'vitest'
import { unsafeMounts } from '../../../host/plan/mount-sources.ts'
import { accountsOf, hostOf, type TreeEntry } from '../../support/host-tree.ts'
import { backend, desiredOf } from '../../support/observed-host.ts'

const [GATE, OWN, OTHER, ANN, SHARED] = [990, 40_000, 40_001, 1000, 970]
const ACCOUNTS = accountsOf(
  { root: 0, gate: GATE, 'gate-own': OWN, 'gate-other': OTHER, ann: ANN },
  { shared: [SHARED, 'gate-other', 'ann'] },
)

test.each<{ name: string; tree: Record<string, TreeEntry>; source?: string; readOnly?: boolean; found?: string }>([
  { name: 'a directory of root', tree: { '/srv/models': {} } },
  {
    name: 'a directory in the home of a person',
    tree: { '/home/ann': { uid: ANN }, '/home/ann/m': { uid: ANN } },
    source: '/home/ann/m',
  },
  { name: 'a directory of a group of people', tree: { '/srv/models': { gid: 4, mode: 0o775 } } },
  { name: 'one that is not there', tree: {} },
  { name: 'the directory of the backend itself', tree: { '/srv/models': { uid: OWN } }, readOnly: false },
  { name: 'in a directory of the backend itself', tree: { '/srv': { uid: OWN }, '/srv/models': {} } },
  {
    name: 'one that the gateway owns',
    tree: { '/srv/models': { uid: GATE } },
    found: 'gate can write to /srv/models:',
  },
  {
    name: 'one that every account may write to',
    tree: { '/srv/models': { mode: 0o777 } },
    found: 'gate can write to /srv/models:',
  },
  {
    name: 'one that several backends write to',
    tree: { '/srv/models': { gid: SHARED, mode: 0o770 } },
    readOnly: false,
  },
  {
    name: 'below one that the gateway owns',
    tree: { '/srv': { uid: GATE }, '/srv/models': {} },
    found: 'gate can write to /srv:',
  },
  {
    name: 'below one that another backend may write to by its group',
    tree: { '/srv': { gid: SHARED, mode: 0o775 }, '/srv/models': {} },
    readOnly: false,
    found: 'gate-other can write to /srv:',
  },
  { name: 'of root, in a sticky directory of all', tree: { '/srv': { mode: 0o1777 }, '/srv/models': {} } },
  {
    name: 'of the gateway, in a sticky directory of all',
    tree: { '/srv': { mode: 0o1777 }, '/srv/models': { uid: GATE } },
    found: 'gate can write to /srv/models:',
  },
  {
    name: 'not yet there, in a sticky directory of all',
    tree: { '/srv': { mode: 0o1777 } },
    found: 'gate can write to /srv/models:',
  },
  { name: 'by a link of root', tree: { '/srv/models': { target: '../disk/models' }, '/disk/models': {} } },
  {
    name: 'by a link of root into a directory of the gateway',
    tree: { '/srv/models': { target: '/disk/models' }, '/disk': { uid: GATE }, '/disk/models': {} },
    found: 'gate can write to /disk:',
  },
  { name: 'by links in a circle', tree: { '/srv/models': { target: 'models' } } },
  {
    name: 'below the models, which apply makes the property of root',
    tree: { '/var/lib/gate': { uid: GATE }, '/var/lib/gate/models': { uid: GATE }, '/var/lib/gate/models/a': {} },
    source: '/var/lib/gate/models/a',
  },
  {
    name: 'below the models, by a link of the gateway',
    tree: { '/var/lib/gate': { uid: GATE }, '/var/lib/gate/models/a': { uid: GATE, target: '/run/user/40000' } },
    source: '/var/lib/gate/models/a',
    found: 'gate can write to /var/lib/gate/models/a:',
  },
])('a mount of $name', ({ tree, source = '/srv/models', readOnly = true, found }) => {
  const mounts = [{ source, path: '/data', read_only: readOnly }]
  const { generation, mounts: all } = desiredOf({ backends: { own: backend({ mounts }), other: backend() } })
  const problems = unsafeMounts(hostOf(tree), { ...generation, users: generation.accounts, mounts: all }, ACCOUNTS)
  expect(problems.map(({ code, message }) => `${code}: ${message}`)).toEqual(
    found === undefined
      ? []
      : [expect.stringMatching(`^UNSAFE_MOUNT: gate-own mounts ${source}, and the account ${found}`)],
  )
})
