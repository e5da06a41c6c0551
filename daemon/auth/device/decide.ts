import { GateError } from '../../../schemas/words/errors.ts'
import type { Principal } from '../principal.ts'
import type { CodeResult, DeviceGrants, PendingDevice } from './grants.ts'

/** Proofs of a person who is there. A key, or a device, must not let in another one that may do more than it. */
const PRESENT: ReadonlySet<Principal['via']> = new Set(['session', 'passkey', 'proxy', 'tailscale'])

/** The device that shows a code, for the person who was asked to let it in. @throws GateError as `decideOnDevice` */
export function deviceWithCode(
  grants: Pick<DeviceGrants, 'lookUp'>,
  principal: Principal,
  userCode: string,
): PendingDevice {
  return found(grants.lookUp(userCode, personIn(principal))).device
}

/**
 * A person lets a device in, or refuses it.
 * @throws GateError SIGN_IN_REFUSED where no person is signed in, OBJECT_NOT_FOUND for a code that is not
 * in force, TOO_MANY_ATTEMPTS after wrong ones
 */
export function decideOnDevice(
  grants: Pick<DeviceGrants, 'decide'>,
  principal: Principal,
  userCode: string,
  decision: 'approve' | 'deny',
): PendingDevice {
  return found(grants.decide(userCode, personIn(principal), decision)).device
}

function personIn({ userId, via }: Principal): string {
  if (userId !== null && PRESENT.has(via)) return userId
  throw new GateError('SIGN_IN_REFUSED', 'only a person who is signed in can let a device in: sign in with a browser')
}

function found<T extends { readonly kind: 'found' | 'decided' }>(result: CodeResult<T>): T {
  if (result.kind === 'unknown')
    throw new GateError(
      'OBJECT_NOT_FOUND',
      'no device waits with this code: it is mistyped, was used, or is older than ten minutes',
    )
  if (result.kind === 'too-many') {
    const retryAfterS = Math.ceil(result.retryAfterMs / 1_000)
    throw new GateError('TOO_MANY_ATTEMPTS', 'too many codes were wrong; try again later', { retryAfterS })
  }
  return result
}
