import { expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'
import { readAccounts } from '../../../host/accounts.ts'
import { retireIds } from '../../../host/apply/retired-ids.ts'
import { type Host, localHost } from '../../../host/host.ts'
import { backend } from '../../support/observed-host.ts'

const LOCK = '/etc/gate/gate.lock.json'
/** What the compiler gives to the first two backends of a new host. */
const FIRST = { uid: 40_000, subuid: 2_000_224_256 }
const SECOND = { uid: 40_001, subuid: 2_000_289_792 }

/** Retires what goes. @returns the lock as it is then */
function retired(lock: object | undefined, accounts: readonly string[], gone: readonly string[]) {
  const ids = [FIRST, SECOND]
  const files = new Map([
    ['/etc/passwd', accounts.map((name, i) => `${name}:x:${ids[i]?.uid}:1::/nowhere:/usr/sbin/nologin\n`).join('')],
    ['/etc/subuid', accounts.map((name, i) => `${name}:${ids[i]?.subuid}:65536\n`).join('')],
    ...(lock === undefined ? [] : [[LOCK, JSON.stringify(lock)] as const]),
  ])
  const host: Host = {
    ...localHost(),
    read: (path) => files.get(path),
    list: () => [],
    write: (path, text) => files.set(path, String(text)),
    remove: (path) => files.delete(path),
  }
  const { users, subuids } = readAccounts(host)
  const kept = retireIds(
    host,
    'gate',
    gone.flatMap((name) => users.get(name) ?? []),
    subuids,
  )
  const text = files.get(LOCK)
  expect(kept).toEqual(text === undefined ? [] : [LOCK])
  return text === undefined ? undefined : JSON.parse(text)
}

const locked = { version: 1, users: { a: FIRST, b: SECOND }, ports: { 'gate.server.port': 50_000 } }

test.each([
  {
    name: 'all accounts go: no name has an id',
    lock: locked,
    gone: ['gate-a', 'gate-b'],
    users: {},
    ids: [FIRST, SECOND],
  },
  {
    name: 'one stays for its volumes: it keeps its own',
    lock: locked,
    gone: ['gate-b'],
    users: { a: FIRST },
    ids: [SECOND],
  },
  { name: 'the lock is gone: the host says the ids', lock: undefined, gone: ['gate-a'], users: {}, ids: [FIRST] },
  {
    name: 'it was done before: nothing is forgotten',
    lock: { ...locked, users: {}, retired: [SECOND] },
    gone: ['gate-a'],
    users: {},
    ids: [FIRST, SECOND],
  },
])('$name', ({ lock, gone, users, ids }) => {
  const after = retired(lock, ['gate-a', 'gate-b'], gone)
  expect(after).toEqual({ version: 1, users, ports: {}, retired: ids })
})

test('a second uninstall, which purges, retires the ids of accounts that went before', () => {
  expect(retired(locked, [], [])).toMatchObject({ users: {}, retired: [FIRST, SECOND] })
})

test('where no backend was, no lock stays', () => {
  expect(retired({ version: 1, users: {}, ports: {} }, [], [])).toBeUndefined()
})

test('a new backend gets no retired id, also under the name of the old one; the lock keeps them', () => {
  const lock = JSON.stringify({ version: 1, users: {}, ports: {}, retired: [FIRST, SECOND] })
  const result = compile(JSON.stringify({ backends: { a: backend() } }), { targets: ['quadlet'], lock })
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics))
  const after = JSON.parse(result.files.find(({ path }) => path === 'gate.lock.json')?.text ?? '')
  expect(after).toMatchObject({
    users: { a: { uid: 40_002, subuid: 2_000_355_328 } },
    retired: [FIRST, SECOND],
  })
})
