import { z } from 'zod'
import { deviceList } from '../../../schemas/api/device.ts'
import { removedUser, signedOut, userChange, userInfo, userList, userRequest } from '../../../schemas/api/users.ts'
import { GateError } from '../../../schemas/words/errors.ts'
import type { Access } from '../../auth/access.ts'
import type { SignIns } from '../../auth/device/sign-ins.ts'
import type { Passkeys } from '../../auth/passkey/passkeys.ts'
import type { UserRecord } from '../../auth/users.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute, type Caller } from '../route.ts'
import { userInfoOf } from '../user-info.ts'
import { shownDevice } from './device.ts'

export type UserParts = {
  readonly access: Access
  /** @returns what is stored of a password @throws GateError TOO_MANY_REQUESTS */
  readonly hashPassword: (password: string) => Promise<string>
}

/** The devices that people let in. */
export type SignedInDevices = Pick<SignIns, 'list' | 'end' | 'endAllOf'>

/** People, for those who administer the gateway. */
export function userRoutes(
  { access, hashPassword }: UserParts,
  devices: SignedInDevices,
  passkeys: Pick<Passkeys, 'removeAllOf'>,
): readonly ApiRoute[] {
  const { users } = access
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
        users.existing(id)
        const withHash = { ...change, ...(await hashed(password)) }
        const before = users.existing(id) // others may have been changed meanwhile: from here on nothing is waited for
        const old = infoOf(before)
        if (change.disabled === true || (change.role ?? 'admin') !== 'admin') keepAnAdmin(access, before, caller)
        const changed = users.change(id, withHash)
        const info = infoOf(changed)
        if (password === undefined) return json(info, { change: { object: `user:${id}`, old, new: info } })
        // who knew the one before is out as well, and so is what they may have added
        signOutEverywhere(access, devices, id)
        const removed = passkeys.removeAllOf(id)
        const note = { ...info, password: 'another one', passkeys_removed: removed }
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
      summary: 'Signs a person out everywhere, on devices as well; their keys stay',
      answer: signedOut,
      audit: 'user.sign-out',
      handle: ({ params: { id = '' } }) => {
        const { name } = users.existing(id)
        const ended = signOutEverywhere(access, devices, id)
        return json({ sessions: ended.sessions }, { change: { object: `user:${id}`, new: { name, ...ended } } })
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/api/admin/users/{id}/devices',
      scope: 'admin',
      summary: 'Lists the devices that a person let in',
      answer: deviceList,
      handle: ({ params: { id = '' } }) => json({ devices: devices.list(users.existing(id).id).map(shownDevice) }),
    }),
    apiRoute({
      method: 'DELETE',
      path: '/api/admin/users/{id}/devices/{device}',
      scope: 'admin',
      summary: 'Signs a device out that a person let in',
      answer: z.strictObject({}),
      audit: 'device.revoke',
      handle: ({ params: { id = '', device = '' } }) => {
        const { name } = users.existing(id)
        if (!devices.end(device, id))
          throw new GateError('OBJECT_NOT_FOUND', 'this user has let in no device of this id')
        return json({}, { change: { object: `device:${device}`, old: { user: name } } })
      },
    }),
  ]
}

/**
 * Ends the sessions of a person and the devices that they let in; where the one cannot be written, the other all the same.
 * @returns how many there were @throws GateError STORE_UNAVAILABLE
 */
export function signOutEverywhere(
  { sessions }: Access,
  devices: SignedInDevices,
  userId: string,
): { readonly sessions: number; readonly devices: number } {
  const letIn = devices.list(userId).length
  try {
    return { sessions: sessions.endAll(userId), devices: letIn }
  } finally {
    devices.endAllOf(userId, 'signed-out')
  }
}

/**
 * Over the network the last administrator cannot be taken away; the operator of the host, who can make another one, may.
 * @throws GateError LAST_ADMIN
 */
function keepAnAdmin({ users }: Access, { id, role, disabledAt }: UserRecord, { via }: Caller): void {
  if (via === 'socket' || role !== 'admin' || disabledAt !== null || users.hasAdmin(id)) return
  throw new GateError(
    'LAST_ADMIN',
    'this is the only administrator; make another one first, or use gatectl on the host',
  )
}
