import type { Reservation } from '../admit/reservation.ts'
import type { Dialect } from '../translate/dialect.ts'
import type { RateStates } from '../translate/rate-headers.ts'
import type { ResponseHeaders } from '../upstream/forward-end.ts'

/** What an answer waited for before it was sent on. */
export type Wait = { readonly kind: 'cold-start' | 'queue'; readonly ms: number }

type Told = {
  readonly requestId: string
  readonly dialect: Pick<Dialect, 'hiddenHeaders' | 'rateHeaders' | 'requestIdIn'>
  readonly cors: readonly string[]
  readonly own: readonly string[]
  readonly progress: {
    readonly wait: Wait | null
    readonly dropped: readonly string[]
    readonly pass: { readonly states: () => RateStates } | null
    readonly reservation: Pick<Reservation, 'pots'> | null
  }
}

/** The headers of an answer, names and values in turn. @param upstream those of the upstream */
export function answerHeaders({ requestId, dialect, cors, own, progress }: Told, upstream: ResponseHeaders): string[] {
  const { wait, dropped, pass, reservation } = progress
  const out = ['x-request-id', requestId]
  const rates = pass === null ? [] : (dialect.rateHeaders?.of(pass.states(), Date.now()) ?? [])
  pushPassedOn(out, upstream, rates.length > 0 ? (dialect.rateHeaders?.prefix ?? null) : dialect.hiddenHeaders)
  if (rates.length > 0) out.push(...rates)
  if (reservation !== null) pushWarnings(out, reservation)
  const named = dialect.requestIdIn?.header
  if (named !== undefined && upstream[named] === undefined) out.push(named, requestId)
  if (cors.length > 0) out.push(...cors)
  if (own.length > 0) out.push(...own)
  if (wait !== null) out.push('x-gate-wait', `${wait.kind};ms=${wait.ms}`)
  const theirs = upstream[DROPPED]
  const lost = theirs === undefined ? dropped : [...dropped, ...String(theirs).split(/, ?/)]
  if (lost.length > 0) out.push(DROPPED, namesOf(lost))
  return out
}

/** From here on, in percent, clients are warned of what a budget has spent. */
const WARNED_PERCENT = 75

function pushWarnings(out: string[], { pots }: Pick<Reservation, 'pots'>): void {
  for (const { rule, now } of pots) {
    if (now.toldPercent < WARNED_PERCENT) continue
    const resets = new Date(now.endMs).toISOString()
    out.push('x-gate-budget-warning', `${rule.name};percent=${now.toldPercent};resets=${resets}`)
  }
}

/** Another Gate, as the upstream, may have left out more. */
const DROPPED = 'x-gate-dropped'

const MOST_NAMED = 20
const NAME = /^[\w., /:-]{1,100}$/

/** Clients choose the names of fields, so some are not shown. */
function namesOf(dropped: readonly string[]): string {
  const names = dropped.slice(0, MOST_NAMED).map((name) => (NAME.test(name) ? name : '?'))
  return (dropped.length > MOST_NAMED ? [...names, '...'] : names).join(', ')
}

/**
 * Adds the headers of an upstream that its client is shown. @param out names and values in turn
 * @param hidden how others begin that it is not shown; null: none
 */
function pushPassedOn(out: string[], headers: ResponseHeaders, hidden: string | null): void {
  const ofConnection = namedIn(headers['connection'])
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || NOT_PASSED_ON.has(name) || ofConnection?.includes(name) === true) continue
    if (hidden !== null && name.startsWith(hidden)) continue
    if (typeof value === 'string') out.push(name, value)
    else for (const one of value) out.push(name, one)
  }
}

/**
 * Headers of an upstream that are not the client's business: those of the connection, those that speak for the
 * upstream's origin instead of Gate's, those that a proxy in front of Gate would obey by sending a file or another page
 * of its own, and those that Gate sets itself.
 */
const NOT_PASSED_ON = new Set([
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-allow-private-network',
  'access-control-expose-headers',
  'access-control-max-age',
  'alt-svc',
  'clear-site-data',
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'nel',
  'proxy-authenticate',
  'proxy-connection',
  'report-to',
  'reporting-endpoints',
  'server',
  'set-cookie',
  'strict-transport-security',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-accel-charset',
  'x-accel-expires',
  'x-accel-limit-rate',
  'x-accel-redirect', // x-accel-buffering is passed on: it keeps a stream from being held back
  'x-gate-budget-warning',
  'x-gate-dropped', // it is told with Gate's own
  'x-gate-wait',
  'x-lighttpd-send-file',
  'x-request-id',
  'x-sendfile',
])

/**
 * Headers that a Connection header declares to be its own (RFC 9110 section 7.6.1); null for the usual ones that name
 * none.
 */
function namedIn(connection: string | string[] | undefined): readonly string[] | null {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return null
  return String(connection)
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
}

/** The headers of an answer from their names and values in turn. */
export function headersOf(list: readonly string[]): ResponseHeaders {
  const headers: Record<string, string | string[]> = {}
  for (let at = 0; at + 1 < list.length; at += 2) {
    const name = list[at] ?? ''
    const value = list[at + 1] ?? ''
    const known = headers[name]
    headers[name] = known === undefined ? value : [known, value].flat()
  }
  return headers
}
