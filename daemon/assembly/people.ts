import { GateError } from '../../schemas/words/errors.ts'
import type { AuthParts } from '../admin/routes/auth.ts'
import type { KeyParts } from '../admin/routes/keys.ts'
import type { SignInPageParts } from '../admin/routes/sign-in-pages.ts'
import type { UserParts } from '../admin/routes/users.ts'
import { credentialOf } from '../auth/credential.ts'
import { refuseForeignForm } from '../auth/origin.ts'
import { sessionCookies } from '../auth/session-cookie.ts'
import type { Ground } from './ground.ts'
import type { Storage } from './storage.ts'

/** What checks and keeps passwords. */
export type Passwords = Pick<AuthParts, 'verifyPassword'> &
  Pick<UserParts, 'hashPassword'> &
  Pick<SignInPageParts, 'takesPasswords'>

const refuse = async (): Promise<never> => {
  throw new GateError('SIGN_IN_REFUSED', 'passwords are not accepted here (auth.mode)')
}

/** Nobody signs in by password. */
export const NO_PASSWORDS: Passwords = { verifyPassword: refuse, hashPassword: refuse, takesPasswords: () => false }

/** What the routes of people, keys and sessions need. */
export function peopleParts(
  { config, now }: Pick<Ground, 'config' | 'now'>,
  { access }: Pick<Storage, 'access'>,
  passwords: Passwords,
): KeyParts &
  UserParts &
  AuthParts &
  Pick<SignInPageParts, 'takesPasswords' | 'signedIn' | 'refuseForeignForm'> &
  Pick<Ground, 'config'> {
  return {
    access,
    config,
    ...passwords,
    cookies: sessionCookies(now),
    leaveProvider: () => null,
    refuseForeignForm,
    signedIn: (headers, secured) => {
      const credential = credentialOf(headers, '', () => secured)
      return credential.kind === 'cookie' ? access.sessions.find(credential.text) : null
    },
    now,
  }
}
