import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'

/**
 * Resolves a name once, to the addresses that may be connected to: for `lookup` of node:http, which connects to what it
 * is given, so that a name cannot mean something else a moment later.
 * @param refusal why a name is not connected to, where none of its addresses may be
 */
export function lookupAmong(mayBe: (address: string) => boolean, refusal: (host: string) => Error): LookupFunction {
  return (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return done(error, '')
      const allowed = found.filter(({ address }) => mayBe(address))
      const [first] = allowed
      if (first === undefined) return done(refusal(host), '')
      if (options.all === true) return done(null, allowed)
      done(null, first.address, first.family)
    })
  }
}
