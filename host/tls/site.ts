import type { AnyCheck } from '../doctor/check.ts'
import { type Greeting, greet, usualTrust } from './handshake.ts'

/** A name that clients use, as it is looked at from here. */
export type Site = {
  /** Host name or address, canonical. */
  readonly name: string
  readonly port: number
  /** For the redirect; undefined: it is not looked at. */
  readonly httpPort: number | undefined
  /** Where is connected to: the name itself, or a listener that it does not lead to (yet). */
  readonly host: string
  /** PEM of CAs that were named. */
  readonly ca: readonly string[]
  /** Those and the usual ones, which are believed. */
  readonly trust: readonly string[]
  /** ACME directory of the CA; undefined: that of the issuer, where it is a known one. */
  readonly directory: string | undefined
  /** Name servers that are asked for records, as Node's resolver takes them; empty: those of the system. */
  readonly resolvers: readonly string[]
  /** Unix milliseconds. */
  readonly now: () => number
  /** The usual handshake, as browsers make it. */
  readonly greeting: Promise<Greeting>
}

export type SiteCheck = AnyCheck<Site>
export type Agreed = Extract<Greeting, { kind: 'agreed' }>

/** @param signal ends the handshake at the latest */
export function siteOf(
  wanted: Pick<Site, 'name' | 'port' | 'httpPort' | 'host' | 'ca' | 'directory' | 'resolvers' | 'now'>,
  signal: AbortSignal,
): Site {
  const { host, port, name } = wanted
  const trust = usualTrust(wanted.ca)
  return { ...wanted, trust, greeting: greet({ host, port, name, alpn: ['h2', 'http/1.1'], trust }, signal) }
}

/** The check of what a handshake showed; it says nothing when there was none, which has a line of its own. */
export function afterHandshake(
  name: string,
  summary: string,
  look: (agreed: Agreed, site: Site, signal: AbortSignal) => ReturnType<SiteCheck['examine']>,
): SiteCheck {
  return {
    name,
    summary,
    async examine(site, signal) {
      const greeting = await site.greeting
      return greeting.kind === 'agreed' ? await look(greeting, site, signal) : []
    },
  }
}
