import type { LimitConfig } from '../../schemas/config/config.ts'
import { addressBlock } from '../../schemas/words/address.ts'
import { createGauge, type Gauge, isFull, type LimitRule, limitRule, type Refusals } from './gauge.ts'
import { LimitPass, type Pass } from './limit-pass.ts'
import { type LimitReading, limitReadings } from './limit-readings.ts'
import { OTHERS } from './limit-refusal.ts'
import {
  type Destination,
  isAboutDestination,
  type Payer,
  type PayerNames,
  subjectsOfDestination,
  subjectsOfPayer,
} from './payer.ts'

/** Subjects of one limit that are counted apart; of more, those that wait for nothing are forgotten first. */
const MOST_SUBJECTS = 20_000
const SWEEP_EVERY_MS = 1_000
/** Models whose gauges are kept at hand. */
const MOST_MODELS = 1_000
const NO_GAUGES: readonly Gauge[] = []

const NO_ADDRESS: { readonly address: string; readonly gauges: readonly Gauge[] } = { address: '', gauges: NO_GAUGES }

type Entry = { rule: LimitRule; readonly bySubject: Map<string, Gauge>; readonly refused: Refusals; sweptAtMs: number }

export type Limits = ReturnType<typeof createLimits>

/**
 * Rates and numbers of requests, counted in memory. A request takes from every limit that counts it, or from none.
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
  let latest = NO_ADDRESS

  function gaugeOf(entry: Entry, wanted: string): Gauge {
    const { rule, bySubject, refused } = entry
    const known = bySubject.get(wanted)
    if (known !== undefined) return known
    if (bySubject.size >= MOST_SUBJECTS && wanted !== OTHERS) return gaugeOf(entry, OTHERS)
    const gauge = createGauge(rule, wanted, refused, now())
    bySubject.set(wanted, gauge)
    return gauge
  }

  /** Forgets those of whom nothing would be lost, where others need the room; who holds one of them finds it anew. */
  function makeRoom(among: readonly Entry[]): void {
    const atMs = now()
    for (const entry of among) {
      if (entry.bySubject.size < MOST_SUBJECTS || atMs < entry.sweptAtMs + SWEEP_EVERY_MS) continue
      entry.sweptAtMs = atMs
      for (const [subject, gauge] of entry.bySubject) if (isFull(gauge, atMs)) entry.bySubject.delete(subject)
      payers = new WeakMap()
      models.clear()
      latest = NO_ADDRESS
    }
  }

  function gaugesOf(payer: Payer): readonly Gauge[] {
    const known = payers.get(payer)
    if (known !== undefined) return known
    makeRoom(ofPayers)
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
    makeRoom(ofModels)
    const gauges = ofModels.flatMap((entry) =>
      subjectsOfDestination(entry.rule.scope, destination).map((one) => gaugeOf(entry, one)),
    )
    if (models.size < MOST_MODELS) models.set(way, gauges)
    return gauges
  }

  /** One client after the other is nearly always the same. */
  function gaugesOfAddress(address: string): readonly Gauge[] {
    if (address === latest.address) return latest.gauges
    makeRoom(ofAddresses)
    const subject = addressBlock(address)
    latest = { address, gauges: ofAddresses.map((entry) => gaugeOf(entry, subject)) }
    return latest.gauges
  }

  const gaugesAt = (to: Destination) => (ofModels.length === 0 ? NO_GAUGES : gaugesOfModel(to))

  return {
    apply(limits: Readonly<Record<string, LimitConfig>>): void {
      for (const name of entries.keys()) if (!Object.hasOwn(limits, name)) entries.delete(name)
      for (const [name, config] of Object.entries(limits)) {
        const rule = limitRule(name, config, share())
        const known = entries.get(name)
        if (known !== undefined && JSON.stringify(known.rule.scope) === JSON.stringify(rule.scope)) {
          known.rule = rule
          for (const gauge of known.bySubject.values()) gauge.rule = rule
        } else {
          const refused = { requests: 0, tokens: 0, concurrent: 0 }
          entries.set(name, { rule, bySubject: new Map(), refused, sweptAtMs: Number.NEGATIVE_INFINITY })
        }
      }
      const all = [...entries.values()]
      const isOfAddress = ({ rule: { scope } }: Entry) => scope.kind === 'each' && scope.what === 'ip'
      ofModels = all.filter(({ rule }) => isAboutDestination(rule.scope))
      ofAddresses = all.filter(isOfAddress)
      ofPayers = all.filter((entry) => !isOfAddress(entry) && !isAboutDestination(entry.rule.scope))
      payers = new WeakMap()
      models = new Map()
      latest = NO_ADDRESS
    },
    /** How each limit stands, for metrics. */
    readings: (): readonly LimitReading[] => limitReadings([...entries.values()], now()),
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
      const gauges = ofAddresses.length === 0 ? own : [...own, ...gaugesOfAddress(addressOf())]
      if (gauges.length === 0 && ofModels.length === 0) return null
      return new LimitPass(gauges, gaugesAt, now)
    },
  }
}
