import { GateError } from '../../schemas/words/errors.ts'
import { OPENING_BRACE, OPENING_BRACKET } from '../../syntax/json/brackets.ts'
import type { JsonMember, JsonOutline } from '../../syntax/json/outline.ts'
import type { ModelRequest } from './call.ts'
import { isRecord } from './json-value.ts'
import { checkModel, MAX_MODEL_CHARACTERS } from './model-name.ts'
import { routingIn } from './routing.ts'

/** Fields some gateways take from clients to choose where a request goes. Here that is the operator's to say. */
const FORBIDDEN = [
  'api_base',
  'api_key',
  'api_type',
  'api_version',
  'base_url',
  'custom_host',
  'custom_llm_provider',
  'extra_headers',
  'organization',
  'proxy_url',
] as const
const IS_FORBIDDEN: ReadonlySet<string> = new Set(FORBIDDEN)

/**
 * The keys that decide something here, by their folded form, which is how they are spelled.
 * @param own those of a dialect
 */
export const decidingKeys = (...own: readonly string[]): ReadonlySet<string> =>
  new Set(['model', 'messages', 'stream', ...own, ...FORBIDDEN])

/** Each character of a name may be an escape of six bytes, or two of them. */
const MAX_MODEL_BYTES = 12 * MAX_MODEL_CHARACTERS + 2

const QUOTE = 0x22

/** The members of a body by their names, which are unlike even where case is ignored. */
export type Members = ReadonlyMap<string, JsonMember>

/**
 * Reads what decides something here of a body with a model. @param limits fields that bound its answer in tokens
 * @param usualModel of one that names none; absent: refused
 * @throws GateError INVALID_JSON, BAD_REQUEST, FORBIDDEN_FIELD
 */
export function readModelRequest(
  body: Buffer,
  outline: JsonOutline,
  deciding: ReadonlySet<string>,
  limits: readonly string[],
  usualModel?: string,
): { readonly asked: ModelRequest; readonly members: Members } {
  const members = readMembers(outline, deciding)
  const named = members.get('model')
  const model = named === undefined && usualModel !== undefined ? usualModel : modelIn(body, named)
  const stream = streamIn(body, members.get('stream')) ?? false
  const routing = routingIn(body, model, { models: members.get('models'), provider: members.get('provider') })
  const cacheKey = textOf(body, members.get('prompt_cache_key'))
  const mostTokens = mostTokensIn(body, members, limits)
  const asked = routing === null ? { model, stream } : { model, stream, routing }
  const limited = mostTokens === null ? asked : { ...asked, mostTokens }
  return { asked: cacheKey === null ? limited : { ...limited, cacheKey }, members }
}

const LONGEST_NUMBER = 12

/** Where several limits are there, the largest counts. */
function mostTokensIn(body: Buffer, members: Members, limits: readonly string[]): number | null {
  let most: number | null = null
  for (const name of limits) {
    const tokens = tokensOf(body, members.get(name))
    if (tokens !== null && tokens > (most ?? 0)) most = tokens
  }
  return most
}

/** A number of tokens; null: it is none, which is the upstream's to refuse. */
function tokensOf(body: Buffer, member: JsonMember | undefined): number | null {
  if (member === undefined || member.end - member.start > LONGEST_NUMBER) return null
  const tokens = Number(body.toString('latin1', member.start, member.end))
  return tokens >= 0 ? Math.ceil(tokens) : null
}

/** The same of a number in a table of settings, such as `options`. */
export function mostTokensWithin(body: Buffer, member: JsonMember | undefined, name: string): number | null {
  const settings = member === undefined || body[member.start] !== OPENING_BRACE ? undefined : parsedIn(body, member)
  const said = isRecord(settings) ? settings[name] : undefined
  return typeof said === 'number' && said >= 0 ? Math.ceil(said) : null
}

/** Whether a stream is asked for; null: it is not said. @throws GateError BAD_REQUEST */
export function streamIn(body: Buffer, member: JsonMember | undefined): boolean | null {
  if (member === undefined) return null
  const value = body.toString('latin1', member.start, Math.min(member.end, member.start + 6))
  if (value === 'true') return true
  if (value === 'false') return false
  if (value === 'null') return null
  throw new GateError('BAD_REQUEST', '"stream" must be true or false', { param: 'stream' })
}

/**
 * The members of a body that may be passed on.
 * @throws GateError INVALID_JSON, BAD_REQUEST, FORBIDDEN_FIELD
 */
export function readMembers(outline: JsonOutline, deciding: ReadonlySet<string>): Members {
  if (outline.kind === 'refused') throw new GateError('INVALID_JSON', outline.problem)
  const members = membersByName(outline.members, deciding)
  checkNames(members.keys())
  return members
}

const LONGEST_KEY_BYTES = 4_096

function parsedIn(body: Buffer, member: JsonMember | undefined): unknown {
  if (member === undefined || member.end - member.start > LONGEST_KEY_BYTES) return undefined
  return JSON.parse(body.toString('utf8', member.start, member.end))
}

function textOf(body: Buffer, member: JsonMember | undefined): string | null {
  const value = member === undefined || body[member.start] !== QUOTE ? undefined : parsedIn(body, member)
  return typeof value === 'string' ? value : null
}

/** @throws GateError BAD_REQUEST when there is no list of messages */
export function checkMessages(body: Buffer, members: Members): void {
  const messages = members.get('messages')
  if (messages === undefined || body[messages.start] !== OPENING_BRACKET) {
    throw new GateError('BAD_REQUEST', '"messages" must be an array', { param: 'messages' })
  }
}

/**
 * Parsers disagree on which of two equal keys counts, and on whether case matters: an upstream could run another model
 * than the one that was asked for and metered. So each key comes once, and those that decide something are spelled one
 * way.
 * @throws GateError BAD_REQUEST
 */
function membersByName(members: readonly JsonMember[], deciding: ReadonlySet<string>): Members {
  const byName = new Map<string, JsonMember>()
  for (const member of members) {
    const name = folded(member.key)
    const other = byName.get(name)
    if (other !== undefined) {
      const message =
        other.key === member.key
          ? `"${shown(name)}" appears twice in the body`
          : `"${shown(other.key)}" and "${shown(member.key)}" are the same key to parsers that ignore case; send only one of them`
      throw new GateError('BAD_REQUEST', message, { param: shown(name) })
    }
    if (member.key !== name && deciding.has(name)) {
      throw new GateError('BAD_REQUEST', `write "${name}", not "${member.key}"`, { param: name })
    }
    byName.set(name, member)
  }
  return byName
}

/** What is folded already, as nearly every key is. */
const FOLDED = /^[a-z0-9_]*$/

/** As decoders that ignore case compare keys: also U+017F is an s, and U+212A a k. */
function folded(key: string): string {
  return FOLDED.test(key) ? key : key.toUpperCase().toLowerCase()
}

const shown = (key: string): string => key.slice(0, 64)

/** @throws GateError BAD_REQUEST */
export function modelIn(body: Buffer, member: JsonMember | undefined): string {
  const isText = member !== undefined && body[member.start] === QUOTE
  if (!isText || member.end - member.start === 2) {
    throw new GateError('BAD_REQUEST', '"model" must be a non-empty string', { param: 'model' })
  }
  const isLong = member.end - member.start > MAX_MODEL_BYTES
  return checkModel(isLong ? null : String(JSON.parse(body.toString('utf8', member.start, member.end))))
}

/** Refuses a name that a client may not send. @throws GateError FORBIDDEN_FIELD */
export function checkNames(names: Iterable<string>): void {
  for (const name of names) {
    const field = folded(name)
    if (!IS_FORBIDDEN.has(field)) continue
    const message = `"${field}" is not accepted from clients; upstreams are set in the configuration`
    throw new GateError('FORBIDDEN_FIELD', message, { param: field })
  }
}
