import type { Responder } from '../order.ts'

/** Answers of pending http-01 challenges, by `pendingAnswer`. */
export type PendingAnswers = Map<string, string>

/** The key of an answer. @param host lower case, without port */
export const pendingAnswer = (host: string, token: string): string => `${host} ${token}`

/** Answers http-01 at `/.well-known/acme-challenge/TOKEN`. @see RFC 8555 section 8.3 */
export function httpResponder(pending: PendingAnswers): Responder {
  return {
    type: 'http-01',
    async present({ name, token, proof }) {
      const at = pendingAnswer(name, token)
      pending.set(at, proof)
      return async () => void pending.delete(at)
    },
  }
}
