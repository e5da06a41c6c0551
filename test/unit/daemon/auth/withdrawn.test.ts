import { afterEach, beforeEach, expect, test } from 'vitest'
import { addressList } from '../../../../daemon/admit/address.ts'
import { type Access, createAccess } from '../../../../daemon/auth/access.ts'
import { createSignIns } from '../../../../daemon/auth/device/sign-ins.ts'
import { CONFIGURED_PERSON } from '../../../../daemon/auth/users.ts'
import { endWithdrawn, type Ways } from '../../../../daemon/auth/withdrawn.ts'
import { openAccessStore } from '../../../../store/sqlite/access-store.ts'
import { type Database, openDatabase } from '../../../../store/sqlite/database.ts'
import { openNote, openSignInStore } from '../../../../store/sqlite/sign-in-store.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
let database: Database
let ended: string[]
let removedOf: string[]

/** As after a start of the daemon with such a configuration. */
function open(ways: Ways) {
  const access = createAccess(openAccessStore(database), {
    now: Date.now,
    steady: () => 0,
    rangesOf: addressList,
    log: () => {},
  })
  access.whenEnded(({ id }) => void ended.push(id))
  const people = {
    principalOf: (id: string, signInId: string) => access.personOf(id, 'access-token', signInId),
    emailOf: () => null,
  }
  const signing = { secret: 'a secret that has thirty-two letters', issuer: 'gate' }
  const signIns = createSignIns(openSignInStore(database), people, signing, Date.now)
  signIns.whenEnded((id) => ended.push(id))
  const { users, sessions } = access
  const passkeys = { removeAllOf: (id: string) => removedOf.push(id) }
  const note = openNote(database, 'auth.password_hash')
  const apply = (next: Ways) => endWithdrawn({ users, sessions, signIns, passkeys, note, log: () => {} }, next)
  apply(ways)
  return { access, signIns, apply }
}

const signedIn = ({ sessions }: Access, userId: string, via: string) =>
  sessions.create({ userId, via, idp: null, address: '', agent: '' }).session.id

beforeEach(() => {
  place = temporaryDirectory()
  database = openDatabase(place.file('gate.db'))
  ended = []
  removedOf = []
})
afterEach(() => {
  database.close()
  place.remove()
})

const ALL = ['token', 'password', 'device', 'oidc']
test.each([
  { modes: ALL, out: [] },
  { modes: ['token', 'device', 'oidc'], out: ['password'] },
  { modes: ['password', 'device'], out: ['oidc'] },
  { modes: ['token', 'password', 'oidc'], out: ['device'] },
  { modes: ['token', 'device'], out: ['password', 'oidc'] },
  { modes: ['token'], out: ['password', 'oidc', 'passkey', 'device'] },
  { modes: ['none'], out: ['password', 'oidc', 'passkey', 'device'] },
])('with auth.mode $modes this is signed out: $out', ({ modes, out }) => {
  for (const isRestarted of [true, false]) {
    ended = []
    let { access, signIns, apply } = open({ modes: ALL, passwordHash: undefined })
    const { id } = access.users.create({ name: `ada ${isRestarted}`, role: 'member' })
    const ids = new Map(['password', 'oidc', 'passkey', 'break-glass'].map((via) => [signedIn(access, id, via), via]))
    signIns.begin(id, null, 'gatectl', null)
    ids.set(signIns.list(id)[0]?.id ?? '', 'device')
    const former = { access, signIns }
    if (isRestarted) ({ access, signIns } = open({ modes, passwordHash: undefined }))
    else apply({ modes, passwordHash: undefined })
    expect(ended.flatMap((one) => ids.get(one) ?? []).toSorted()).toEqual(out.toSorted())
    const left = [...access.sessions.of(id), ...signIns.list(id)].map((one) => ids.get(one.id))
    expect(new Set([...left, ...out])).toEqual(new Set(ids.values()))
    expect(left).toHaveLength(ids.size - out.length)
    former.access.sessions.endAll(id)
  }
})

const configured = ({ users }: Access) => users.seen({ ...CONFIGURED_PERSON, name: 'admin', role: 'admin' }).id

test.each([
  { title: 'another', before: '$argon2id$one', after: '$argon2id$two', isOut: true },
  { title: 'no', before: '$argon2id$one', after: undefined, isOut: true },
  { title: 'the same', before: '$argon2id$one', after: '$argon2id$one', isOut: false },
])(
  '$title auth.password_hash, at once or at a start: the sessions, devices and passkeys of its person end: $isOut',
  ({ before, after, isOut }) => {
    for (const isRestarted of [true, false]) {
      let { access, signIns, apply } = open({ modes: ALL, passwordHash: before })
      const id = configured(access)
      const other = access.users.create({ name: `ada ${isRestarted}`, role: 'member' }).id
      for (const one of [id, other]) {
        signedIn(access, one, 'password')
        signIns.begin(one, null, 'gatectl', null)
      }
      removedOf = []
      if (isRestarted) ({ access, signIns, apply } = open({ modes: ALL, passwordHash: after }))
      else apply({ modes: ALL, passwordHash: after })
      apply({ modes: ALL, passwordHash: after }) // a change of another key
      const count = (one: string) => access.sessions.of(one).length + signIns.list(one).length
      expect([count(id), count(other), removedOf]).toEqual(isOut ? [0, 2, [id]] : [expect.any(Number), 2, []])
      if (!isOut) expect(count(id)).toBeGreaterThan(0)
    }
  },
)

test('a password that comes back ends what was signed in by the one in between', () => {
  const { access, apply } = open({ modes: ALL, passwordHash: 'one' })
  const id = configured(access)
  apply({ modes: ALL, passwordHash: 'two' })
  signedIn(access, id, 'password')
  apply({ modes: ALL, passwordHash: 'one' })
  expect(access.sessions.of(id)).toEqual([])
})

test('the first look, such as after an upgrade, ends nothing', () => {
  const { access } = open({ modes: ALL, passwordHash: 'one' })
  const id = configured(access)
  signedIn(access, id, 'password')
  database.prepare('DELETE FROM mark').run()
  expect(open({ modes: ALL, passwordHash: 'two' }).access.sessions.of(id)).toHaveLength(1)
})
