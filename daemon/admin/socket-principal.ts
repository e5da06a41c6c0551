import { SCOPES } from '../../schemas/words/scopes.ts'
import type { Principal } from '../auth/principal.ts'

/** Whoever the permissions of the admin socket let in: root, and the members of its group. */
export const SOCKET_PRINCIPAL: Principal = {
  keyId: 'system',
  name: 'admin socket',
  scopes: new Set(SCOPES),
  allowed: null,
  namesUsers: false,
  userId: null,
  teams: [],
  via: 'socket',
  credentialId: 'socket',
  addresses: null,
  budgets: [],
  limits: [],
}
