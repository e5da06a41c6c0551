import type { IncomingHttpHeaders } from 'node:http'
import type { z } from 'zod'
import { issueLines } from '../../schemas/words/issue.ts'
import type { Audit, AuditEntry } from '../audit/entry.ts'
import type { Principal } from '../auth/principal.ts'
import { AdminError, problemOf } from './error.ts'
import { pathPattern } from './path-pattern.ts'
import type { Reply } from './reply.ts'
import type { ApiRoute, Caller } from './route.ts'

/** A call as it came over the socket or over HTTPS. */
export type Call = {
  readonly principal: Principal
  readonly path: string
  /** With its question mark, or empty. */
  readonly search: string
  readonly body: Buffer
  readonly headers: IncomingHttpHeaders
  readonly caller: Caller
  readonly signal: AbortSignal
}

/** No answer and no change goes further down than this. */
const DEEPEST_JSON = 64

/**
 * Answers one call by its route, and notes what it changed.
 * @throws AdminError, GateError, ConfigError, AgentError: the refusal, for `problemOf`
 */
export async function dispatch(route: ApiRoute, call: Call, audit: Pick<Audit, 'require' | 'record'>): Promise<Reply> {
  const { principal, caller, headers, signal } = call
  const params = pathPattern(route.path).params(call.path)
  const note = (entry: Pick<AuditEntry, 'object' | 'outcome'> & Partial<AuditEntry>): void => {
    if (route.audit !== undefined) audit.record({ ...whoseIs(call), action: route.audit, ...entry })
  }
  const object = Object.values(params).join('/')
  try {
    const query = queryOf(route, call.search)
    const body = bodyOf(route, call)
    if (route.audit !== undefined) audit.require()
    const reply = await route.handle({ principal, params, query, body, headers, caller, signal })
    note({ outcome: 'done', object, ...reply.change })
    return reply
  } catch (error) {
    const { status, code } = problemOf(error)
    note({ outcome: status < 500 ? 'refused' : 'failed', object, reason: code })
    if (route.refuse !== undefined && error instanceof AdminError) return route.refuse(error.message)
    throw error
  }
}

function whoseIs({ principal, caller }: Call): Pick<AuditEntry, 'who' | 'from'> {
  const id = principal.userId ?? (principal.via === 'none' ? '' : principal.keyId)
  const name = principal.via === 'none' ? '' : principal.name
  return { who: { via: principal.via, id, name }, from: { address: caller.address, via: caller.via } }
}

function queryOf({ query }: ApiRoute, search: string): unknown {
  if (query === undefined) return undefined
  const params = new URLSearchParams(search)
  if (!hasMember(query, 'key')) params.delete('key') // a credential, which was read before
  return parsed(query, onceEach(params, 'query'), 'query')
}

/** @throws AdminError BAD_REQUEST: which of two values counts must never be a guess (also RFC 6749 section 3.2) */
function onceEach(params: URLSearchParams, place: 'body' | 'query'): Record<string, string> {
  const given = new Map<string, string>()
  for (const [name, value] of params) {
    if (given.has(name)) throw new AdminError('BAD_REQUEST', `${place}: ${name} appears twice`)
    given.set(name, value)
  }
  return Object.fromEntries(given)
}

function hasMember(shape: z.ZodType, name: string): boolean {
  return 'shape' in shape && typeof shape.shape === 'object' && shape.shape !== null && name in shape.shape
}

/** @throws AdminError INVALID_JSON, BAD_REQUEST */
function bodyOf({ body: shape, takes = 'json' }: ApiRoute, { body, headers }: Call): unknown {
  if (shape === undefined) {
    if (takes !== 'bytes' && body.length > 0 && body.toString('utf8').trim() !== '{}')
      throw new AdminError('BAD_REQUEST', 'this route takes no body')
    return undefined
  }
  const text = body.toString('utf8')
  const type = headers['content-type'] ?? ''
  const isForm = takes !== 'json' && /^application\/x-www-form-urlencoded\b/i.test(type)
  if (!isForm && takes === 'form')
    throw new AdminError('BAD_REQUEST', 'send a form: "Content-Type: application/x-www-form-urlencoded"')
  if (isForm) return parsed(shape, onceEach(new URLSearchParams(text), 'body'), 'body')
  return parsed(shape, text === '' ? undefined : parseJson(text), 'body')
}

function parseJson(text: string): unknown {
  if (depthOf(text) > DEEPEST_JSON)
    throw new AdminError('BAD_REQUEST', `body: more than ${DEEPEST_JSON} levels of objects and lists`)
  try {
    return JSON.parse(text)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new AdminError('INVALID_JSON', 'the body is not valid JSON', { cause })
  }
}

/** Of objects and lists within each other; brackets within texts do not count. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (const [found] of text.matchAll(/"(?:[^"\\]|\\.)*"?|[[\]{}]/gs)) {
    if (found === '[' || found === '{') deepest = Math.max(deepest, ++depth)
    else if (found === ']' || found === '}') depth -= 1
  }
  return deepest
}

/** @throws AdminError BAD_REQUEST naming each wrong field */
function parsed(shape: z.ZodType, given: unknown, place: 'body' | 'query'): unknown {
  const result = shape.safeParse(given)
  if (result.success) return result.data
  throw new AdminError('BAD_REQUEST', issueLines(result.error, given, place).join('; '))
}
