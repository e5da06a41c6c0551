import { loggedOut, me, signedIn } from './auth.ts'
import { deviceList } from './device.ts'
import { keyInfo, keyList, madeKey, revokedKey, rotatedKey } from './keys.ts'
import { removedUser, sessionList, signedOut, teamInfo, teamList, userInfo, userList } from './users.ts'

/** Routes of keys, people, teams and sessions. */
export const ACCESS_ANSWERS = {
  'GET /api/admin/keys': keyList,
  'POST /api/admin/keys': madeKey,
  'GET /api/admin/keys/{id}': keyInfo,
  'PATCH /api/admin/keys/{id}': keyInfo,
  'DELETE /api/admin/keys/{id}': revokedKey,
  'POST /api/admin/keys/{id}/rotate': rotatedKey,
  'GET /api/admin/users': userList,
  'POST /api/admin/users': userInfo,
  'GET /api/admin/users/{id}': userInfo,
  'PATCH /api/admin/users/{id}': userInfo,
  'DELETE /api/admin/users/{id}': removedUser,
  'DELETE /api/admin/users/{id}/sessions': signedOut,
  'GET /api/admin/users/{id}/devices': deviceList,
  'GET /api/admin/teams': teamList,
  'POST /api/admin/teams': teamInfo,
  'GET /api/admin/teams/{id}': teamInfo,
  'PATCH /api/admin/teams/{id}': teamInfo,
  'DELETE /api/admin/teams/{id}': removedUser,
  'PUT /api/admin/teams/{id}/members/{user}': teamInfo,
  'DELETE /api/admin/teams/{id}/members/{user}': teamInfo,
  'GET /api/user/sessions': sessionList,
  'GET /auth/me': me,
  'POST /auth/login': signedIn,
  'POST /auth/refresh': signedIn,
  'POST /auth/logout': loggedOut,
  'POST /auth/rotate-token': rotatedKey,
} as const
