import { z } from 'zod'
import { addressPattern, hostPattern, hostPortPattern, ipPattern } from '../words/address.ts'

export type SpecKey = string | { readonly none: string }

/** What a key means to tools: who may see it, and whether a change waits for a restart. */
export type KeyMeta = {
  readonly description: string
  /**
   * The key of the spec that says the same, such as `gate.server.port` or `upstreams.*.timeout`; or why there is none.
   * Written at a table, it holds for the keys of that name inside.
   */
  readonly spec?: SpecKey
  readonly secret?: true
  /** A secret that people think up: not even a fingerprint of it is shown. */
  readonly thoughtUp?: true
  readonly restart?: true
  /**
   * Without it more clients, bigger or slower requests, or other engines are let in: it is never left out because it is
   * wrong.
   */
  readonly narrows?: true
  /** A duration that a timer waits for; Node's timers hold about 24.8 days. */
  readonly timer?: true
}

/** A text that is one `${NAME}` of config.toml and nothing else. */
export const WHOLE_VARIABLE = /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/
const BYTES = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB|TiB)$/
/**
 * Names of upstreams and models: a path segment, an environment segment and a model prefix at once.
 * Single separators only, because `__` separates levels in the environment.
 */
export const NAME = /^(?=.{1,63}$)[a-z0-9]+(?:[_-][a-z0-9]+)*$/
/** What such a name looks like, in words. */
export const NAME_FORM = 'use at most 63 lower-case letters and digits, with single "-" or "_" between'
/** The same for one label of a host name, and for a zone at Cloudflare. */
export const LABEL_FORM = 'write one label such as "myserver": lower-case letters, digits and hyphens, without dots'
export const ZONE_FORM = 'write the id of the zone: at most 64 letters and digits'

/**
 * Names of virtual models are what clients write: `gpt-4.1`, `qwen2.5:7b`, `GPT-4o`, `org/model`. One line of text that
 * is not longer than any protocol takes.
 */
const MODEL_NAME = /^(?!(?:__proto__|constructor)$)[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\ufffe\uffff]{1,200}$/u
const LONGEST_NAME_BYTES = 200

/** The name of a virtual model, as the key of a table. */
export const modelName = z
  .string()
  .regex(MODEL_NAME, 'use 1 to 200 characters on one line')
  .refine((name) => new TextEncoder().encode(name).length <= LONGEST_NAME_BYTES, 'use at most 200 bytes of UTF-8')

/** Milliseconds of a duration such as "500ms", "10s", "5m", "1.5h", "2d". @throws RangeError when it is none */
export function durationMs(text: string): number {
  const match = DURATION.exec(text)
  if (match === null) throw new RangeError(`not a duration: ${text}`)
  const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] as 'ms' | 's' | 'm' | 'h' | 'd']
  const ms = Number(match[1]) * unitMs
  return ms > 0 ? Math.max(1, Math.round(ms)) : 0 // 0 often means no limit: never by rounding
}

/** Bytes of a size such as "64KiB", "32MiB". @throws RangeError when it is none */
export function byteCount(text: string): number {
  const match = BYTES.exec(text)
  if (match === null) throw new RangeError(`not a size: ${text}`)
  const unit = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 }[
    match[2] as 'B' | 'KiB' | 'MiB' | 'GiB' | 'TiB'
  ]
  return Math.round(Number(match[1]) * unit)
}

/** A duration in its written form, such as "10s"; read it with durationMs. */
const anyDuration = z.string().regex(DURATION, 'write a number and a unit: ms, s, m, h or d, such as "10s"')
export const duration = (description: string) =>
  anyDuration.meta({ description: `${description} A duration such as "10s".`, timer: true })
/** A time for which something is kept: no timer waits for its end. */
export const retention = (description: string) =>
  anyDuration.meta({ description: `${description} A duration such as "30d".` })
/** A duration that Node would take for "no limit" when it is 0, which should never happen by mistake. */
export const limitingDuration = (description: string) =>
  duration(description).regex(/[1-9]/, 'write more than 0: a limit of 0 would mean no limit')
/** A size in its written form, such as "32MiB"; read it with byteCount. */
export const bytes = (description: string) =>
  z
    .string()
    .regex(BYTES, 'write a number and a unit: B, KiB, MiB, GiB or TiB, such as "32MiB"')
    .meta({ description: `${description} A size such as "32MiB".` })
/** A TCP or UDP port; 0 takes any free one. */
export const port = z.int().min(0).max(65_535)
/** The origin of a web page, as browsers write it; also that of an extension or of a program made of pages. */
export const origin = z
  .string()
  .regex(
    /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._~[\]-]+(?::\d{1,5})?$/,
    'write the origin as browsers do, such as "https://app.example.org": lower case, no path',
  )
/** The origin of a web site, where a gateway is reached. */
export const webOrigin = z
  .string()
  .regex(
    /^https?:\/\/(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/,
    'write scheme, host and port as browsers do, such as "https://ai.example.org": lower case, no path',
  )
/** A URL with a path, over HTTPS, or HTTP for tests and for services of this host. */
export const httpUrl = z
  .string()
  .regex(/^https?:\/\/[^\s/?#@]+(?:[/?][^\s#]*)?$/, 'write http(s)://host[:port][/path], without user or fragment')
/** A file that the daemon reads. */
export const absoluteFile = z.string().regex(/^\/[^\0]*[^/\0]$/, 'write the absolute path of a file')
const CERTIFIED =
  /(?=.{1,253}$)(?:\*\.)?[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*/
/** A name that a certificate can be for: lower case, without final dot; of a wildcard the first label alone. */
export const certifiedName = z
  .string()
  .regex(new RegExp(`^${CERTIFIED.source}$`), 'write a lower-case host name such as "ai.example.org"')
/** The same, or an IP address. */
export const certifiedHost = z
  .string()
  .regex(
    new RegExp(`^(?:${CERTIFIED.source}|${addressPattern.source.slice(1, -1)})$`),
    'write a lower-case host name such as "ai.example.org", or an address',
  )
/** A host name of more than one label, lower case, without final dot. */
export const certifiedHostName = z
  .string()
  .regex(
    /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    'write a lower-case host name such as "ai.example.org"',
  )
/** SHA-256 of a public key (SubjectPublicKeyInfo). */
export const publicKeyPin = z.string().regex(/^[A-Za-z0-9+/]{43}=$/, 'write base64 of SHA-256: 44 characters')
/** A name in DNS, where labels may begin with an underscore. */
export const dnsName = z
  .string()
  .regex(/^(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/, 'write a lower-case name such as "example.org"')
/** What a listener listens on. */
export const host = z.string().regex(hostPattern, 'write an address such as "127.0.0.1", or a host name')
export const hostPort = z.string().regex(hostPortPattern, 'write host:port')
/** A list of addresses and CIDR ranges. */
export const cidrs = z.array(z.string().regex(ipPattern, 'write an address or a CIDR range such as "10.0.0.0/8"'))
export const secret = z.string().min(1, 'write the secret, or remove the key')
/** A secret that travels in an HTTP header. */
export const headerSecret = secret.regex(/^[\x21-\x7e]*$/, 'use visible ASCII characters only, no space or line break')

/** A table whose keys are names that people give. */
export const named = <T extends z.ZodType>(value: T) => z.record(z.string().regex(NAME, NAME_FORM), value)

/** A text that is a JSON object. */
export const jsonObject = z
  .string()
  .max(262_144)
  .regex(/^\s*\{[\s\S]*\}\s*$/, 'write a JSON object, such as {"permissions":{}}')
  .refine((text) => isJsonObject(text), 'write a JSON object, such as {"permissions":{}}')

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
