import { removedUser, signedOut, userChange, userInfo, userList, userRequest } from '../../../schemas/api/users.ts'
import { GateError } from '../../../schemas/words/errors.ts'
import type { Access } from '../../auth/access.ts'
import type { UserRecord } from '../../auth/users.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute, type Caller } from '../route.ts'
import { userInfoOf } from '../user-info.ts'

export type UserParts = {
  readonly access: Access
  /** @returns what is stored of a password @throws GateError TOO_MANY_REQUESTS */
  readonly hashPassword: (password: string) => Promise<string>
}

/** People, for those who administer the gateway. */
export function userRoutes({ access, hashPassword }: UserParts): readonly ApiRoute[] {
  const { users, sessions } = access
  const infoOf = (user: UserRecord) => userInfoOf(access, user)
  const hashed = async (password: string | null | undefined) =>
    password === undefined ? {} : { passwordHash: password === null ? null : await hashPassword(password) }
  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/users',
      scope: 'admin',
      summary: 'Lists the people',
      answer: userList,
      handle: () => json({ users: users.list().map(infoOf) }),
    }),
    apiRoute({
      method: 'POST',
      path: '/api/admin/users',
      scope: 'admin',
      summary: 'Adds a person',
      body: userRequest,
      answer: userInfo,
      status: 201,
      audit: 'user.create',
      handle: async ({ body: { name, role, email = null, password } }) => {
        const user = users.create({ name, role, email, ...(await hashed(password)) })
        const info = infoOf(user)
        return json(info, { change: { object: `user:${user.id}`, new: info } })
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/api/admin/users/{id}',
      scope: 'admin',
      summary: 'Shows a person',
      answer: userInfo,
      handle: ({ params: { id = '' } }) => json(infoOf(users.existing(id))),
    }),
    apiRoute({
      method: 'PATCH',
      path: '/api/admin/users/{id}',
      scope: 'admin',
      summary: 'Changes a person: role, password, disabled; at once, also for their keys and what is answered to them',
      body: userChange,
      answer: userInfo,
      audit: 'user.change',
      handle: async ({ params: { id = '' }, body: { password, ...change }, caller }) => {
        const before = users.existing(id)
        const old = infoOf(before)
        if (change.disabled === true || (change.role ?? 'admin') !== 'admin') keepAnAdmin(access, before, caller)
        const changed = users.change(id, { ...change, ...(await hashed(password)) })
        if (password !== undefined) sessions.endAll(id, 'signed-out') // who knew the one before is out as well
        const info = infoOf(changed)
        const note = password === undefined ? info : { ...info, password: 'another one' }
        return json(info, { change: { object: `user:${id}`, old, new: note } })
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/api/admin/users/{id}',
      scope: 'admin',
      summary: 'Removes a person; their keys are revoked, and those that they made count for nothing',
      answer: removedUser,
      audit: 'user.remove',
      handle: ({ params: { id = '' }, caller }) => {
        const user = users.existing(id)
        keepAnAdmin(access, user, caller)
        const old = infoOf(user)
        users.remove(id)
        return json({ id, removed: true as const }, { change: { object: `user:${id}`, old } })
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/api/admin/users/{id}/sessions',
      scope: 'admin',
      summary: 'Signs a person out everywhere; their keys stay',
      answer: signedOut,
      audit: 'user.sign-out',
      handle: ({ params: { id = '' } }) => {
        const { name } = users.existing(id)
        const count = sessions.endAll(id)
        return json({ sessions: count }, { change: { object: `user:${id}`, new: { name, sessions: count } } })
      },
    }),
  ]
}

/**
 * Over the network nobody takes the last administrator away; the operator of the host, who can make another one, may.
 * @throws GateError LAST_ADMIN
 */
function keepAnAdmin({ users }: Access, { id, role, disabledAt }: UserRecord, { via }: Caller): void {
  if (via === 'socket' || role !== 'admin' || disabledAt !== null || users.hasAdmin(id)) return
  throw new GateError(
    'LAST_ADMIN',
    'this is the only administrator; make another one first, or use gatectl on the host',
  )
}
