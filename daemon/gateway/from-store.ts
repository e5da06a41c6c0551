import { GateError } from '../../schemas/words/errors.ts'

/** Asks a store. @param lost what does not work without it, for the client @throws GateError STORE_UNAVAILABLE */
export function fromStore<T>(lost: string, ask: () => T): T {
  try {
    return ask()
  } catch (error) {
    throw new GateError('STORE_UNAVAILABLE', lost, { cause: error })
  }
}
