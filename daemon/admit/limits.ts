import type { LimitConfig } from '../../schemas/config/config.ts'
import { GateError } from '../../schemas/words/errors.ts'
import { addressSubject } from './address-subject.ts'
import { createGauge, type Gauge, isFull, type LimitRule, limitRule, refresh, waitMs } from './gauge.ts'
import {
  type Destination,
  isAboutDestination,
  type Payer,
  type PayerNames,
  subjectsOfDestination,
  subjectsOfPayer,
} from './payer.ts'

/** What is left of a rate; `resetMs`: until all of it is back. */
export type RateState = { readonly limit: number; readonly remaining: number; readonly resetMs: number }
/** The rates that a request came closest to; null: there is none. */
export type RateStates = { readonly requests: RateState | null; readonly tokens: RateState | null }

/** One request that came to limits. */
export type Pass = {
  /** Why it is not let in; null: it is, until it leaves. */
  readonly refusal: GateError | null
  readonly states: () => RateStates
  /** It asks for about so many tokens there. @returns why it may not; null: it may */
  readonly ask: (to: Destination, tokens: number) => GateError | null
  /** @param tokens what it has used */
  readonly leave: (tokens: number) => void
}

/** Subjects of one limit that are counted apart; of more, those that wait for nothing are forgotten first. */
const MOST_SUBJECTS = 20_000
const OTHERS = '*'
const SWEEP_EVERY_MS = 1_000
/** Models whose gauges are kept at hand. */
const MOST_MODELS = 1_000
/** What has come back in a shorter time is not worth counting, unless it is needed. */
const REFRESH_MS = 50
const NO_GAUGES: readonly Gauge[] = []
const MS_PER_S = 1_000
const NOTHING: RateStates = { requests: null, tokens: null }

type Entry = { rule: LimitRule; readonly bySubject: Map<string, Gauge>; sweptAtMs: number }

export type Limits = ReturnType<typeof createLimits>

/**
 * Rates and numbers of requests, counted in memory. Whoever it is that asks, a request takes from every limit that counts
 * it, or from none.
 * @param now monotonic milliseconds @param share of each rate that is for this process
 */
export function createLimits({
  names,
  share,
  now,
}: {
  readonly names: PayerNames
  readonly share: () => number
  readonly now: () => number
}) {
  const entries = new Map<string, Entry>()
  let ofPayers: readonly Entry[] = []
  let ofAddresses: readonly Entry[] = []
  let ofModels: readonly Entry[] = []
  let payers = new WeakMap<Payer, readonly Gauge[]>()
  let models = new Map<string, readonly Gauge[]>()
  let latest = { address: '', subject: '' }

  function gaugeOf(entry: Entry, wanted: string): Gauge {
    const { rule, bySubject } = entry
    const known = bySubject.get(wanted)
    if (known !== undefined) return known
    if (bySubject.size >= MOST_SUBJECTS && wanted !== OTHERS) {
      sweep(entry)
      if (bySubject.size >= MOST_SUBJECTS) return gaugeOf(entry, OTHERS)
    }
    const gauge = createGauge(rule, wanted, now())
    bySubject.set(wanted, gauge)
    return gauge
  }

  /** Forgets those of whom nothing would be lost. */
  function sweep(entry: Entry): void {
    const atMs = now()
    if (atMs < entry.sweptAtMs + SWEEP_EVERY_MS) return
    entry.sweptAtMs = atMs
    for (const [subject, gauge] of entry.bySubject) if (isFull(gauge, atMs)) entry.bySubject.delete(subject)
  }

  function gaugesOf(payer: Payer): readonly Gauge[] {
    const known = payers.get(payer)
    if (known !== undefined) return known
    const gauges = ofPayers.flatMap((entry) =>
      subjectsOfPayer(entry.rule.scope, payer, payer.limits, entry.rule.name, names).map((one) => gaugeOf(entry, one)),
    )
    payers.set(payer, gauges)
    return gauges
  }

  function gaugesOfModel(destination: Destination): readonly Gauge[] {
    const { model, target, upstream } = destination
    const way = `${model} ${upstream}/${target}`
    const known = models.get(way)
    if (known !== undefined) return known
    const gauges = ofModels.flatMap((entry) =>
      subjectsOfDestination(entry.rule.scope, destination).map((one) => gaugeOf(entry, one)),
    )
    if (models.size < MOST_MODELS) models.set(way, gauges)
    return gauges
  }

  /** One client after the other is nearly always the same. */
  function subjectOf(address: string): string {
    if (address !== latest.address) latest = { address, subject: addressSubject(address) }
    return latest.subject
  }

  function passOf(first: readonly Gauge[], refused: GateError | null): Pass {
    let gauges = first
    let taken = 0
    let isOver = refused !== null
    return {
      refusal: refused,
      states: () => statesOf(gauges),
      ask(to, tokens) {
        const more = ofModels.length === 0 ? NO_GAUGES : gaugesOfModel(to)
        const atMs = now()
        const refused =
          firstRefusal(more, atMs) ?? tokenRefusal(gauges, tokens, atMs) ?? tokenRefusal(more, tokens, atMs)
        if (refused !== null) return refused
        take(more)
        if (more.length > 0) gauges = [...gauges, ...more]
        for (const gauge of gauges) gauge.tokens -= tokens
        taken = tokens
        return null
      },
      leave(tokens) {
        if (isOver) return
        isOver = true
        for (const gauge of gauges) {
          gauge.inFlight -= 1
          gauge.tokens += taken - tokens
        }
      },
    }
  }

  return {
    apply(limits: Readonly<Record<string, LimitConfig>>): void {
      for (const name of entries.keys()) if (!Object.hasOwn(limits, name)) entries.delete(name)
      for (const [name, config] of Object.entries(limits)) {
        const rule = limitRule(name, config, share())
        const known = entries.get(name)
        if (known !== undefined && JSON.stringify(known.rule.scope) === JSON.stringify(rule.scope)) {
          known.rule = rule
          for (const gauge of known.bySubject.values()) gauge.rule = rule
        } else entries.set(name, { rule, bySubject: new Map(), sweptAtMs: Number.NEGATIVE_INFINITY })
      }
      const all = [...entries.values()]
      const isOfAddress = ({ rule: { scope } }: Entry) => scope.kind === 'each' && scope.what === 'ip'
      ofModels = all.filter(({ rule }) => isAboutDestination(rule.scope))
      ofAddresses = all.filter(isOfAddress)
      ofPayers = all.filter((entry) => !isOfAddress(entry) && !isAboutDestination(entry.rule.scope))
      payers = new WeakMap()
      models = new Map()
    },
    /** Names, teams or attached limits of payers have changed. */
    forget(): void {
      payers = new WeakMap()
    },
    /**
     * Lets a request in. @param addressOf finds the address of the client
     * @returns null: no limit counts it
     */
    enter(payer: Payer, addressOf: () => string): Pass | null {
      if (entries.size === 0) return null
      const own = gaugesOf(payer)
      const subject = ofAddresses.length === 0 ? null : subjectOf(addressOf())
      const gauges = subject === null ? own : [...own, ...ofAddresses.map((entry) => gaugeOf(entry, subject))]
      if (gauges.length === 0 && ofModels.length === 0) return null
      const refused = firstRefusal(gauges, now())
      if (refused === null) take(gauges)
      return passOf(gauges, refused)
    },
  }
}

function take(gauges: readonly Gauge[]): void {
  for (const gauge of gauges) {
    gauge.inFlight += 1
    if (gauge.rule.requests !== null) gauge.requests -= 1
  }
}

function firstRefusal(gauges: readonly Gauge[], atMs: number): GateError | null {
  for (const gauge of gauges) {
    if (atMs - gauge.atMs > REFRESH_MS || gauge.requests < 1 || gauge.tokens <= 0) refresh(gauge, atMs)
    const { rule, subject, inFlight, requests, tokens } = gauge
    if (rule.concurrent !== null && inFlight >= rule.concurrent)
      return refusal(rule, subject, `${rule.concurrent} requests at a time`, MS_PER_S)
    if (rule.requests !== null && requests < 1)
      return refusal(rule, subject, `${rule.requests} requests per minute`, waitMs(1 - requests, rule.requests))
    if (rule.tokens !== null && tokens <= 0)
      return refusal(rule, subject, `${rule.tokens} tokens per minute`, waitMs(1 - tokens, rule.tokens))
  }
  return null
}

/** Who asks for more tokens than there are in a minute waits until all of them are there. */
function tokenRefusal(gauges: readonly Gauge[], wanted: number, atMs: number): GateError | null {
  for (const gauge of gauges) {
    const { rule, subject } = gauge
    if (rule.tokens === null || wanted <= gauge.tokens) continue
    refresh(gauge, atMs)
    const missing = Math.min(wanted, rule.tokens) - gauge.tokens
    if (missing > 0) return refusal(rule, subject, `${rule.tokens} tokens per minute`, waitMs(missing, rule.tokens))
  }
  return null
}

function refusal({ name, scope }: LimitRule, subject: string, allowed: string, wait: number): GateError {
  const whom = scope.kind === 'each' && subject !== OTHERS ? ` for each ${WORDS[scope.what]}` : ''
  const retryAfterS = Math.max(1, Math.ceil(wait / MS_PER_S))
  return new GateError('TOO_MANY_REQUESTS', `limit "${name}" allows ${allowed}${whom}; try again in ${retryAfterS} s`, {
    retryAfterS,
  })
}

const WORDS = {
  key: 'key',
  user: 'person',
  team: 'team',
  model: 'model',
  provider: 'provider',
  ip: 'address',
} as const

function statesOf(gauges: readonly Gauge[]): RateStates {
  let { requests, tokens } = NOTHING
  for (const gauge of gauges) {
    requests = closer(requests, gauge.rule.requests, gauge.requests)
    tokens = closer(tokens, gauge.rule.tokens, gauge.tokens)
  }
  return requests === null && tokens === null ? NOTHING : { requests, tokens }
}

function closer(other: RateState | null, limit: number | null, left: number): RateState | null {
  if (limit === null) return other
  const remaining = Math.max(0, Math.floor(left))
  if (other !== null && other.remaining <= remaining) return other
  return { limit, remaining, resetMs: waitMs(limit - left, limit) }
}
