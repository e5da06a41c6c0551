import type { AnswerFigures } from './answer-case.ts'
import type { ServerName } from './servers.ts'
import { median } from './statistics.ts'
import type { StreamFigures } from './stream-case.ts'

/** Every window of every server, in their order: the windows of one index were measured one right after the other. */
export type Windows<Figures> = Readonly<Partial<Record<ServerName, readonly Figures[]>>>

/**
 * How many times the other's figure ours is. `low` and `high` are the least and the greatest ratio of windows measured
 * one right after the other: of five runs, the true median lies between them in 15 of 16 cases.
 */
export type Comparison = {
  readonly what: string
  readonly ratio: number
  readonly low: number
  readonly high: number
  /** The most that the ratio may be; null where there is no goal. */
  readonly goal: number | null
  readonly verdict: string
}

/** Fewer windows than this decide nothing, however near to each other they are. */
const FEWEST_WINDOWS = 5
/**
 * Most time, in percent of a window, that a server may have waited for its core. A p99 is what one request in a hundred
 * sees, so waits of its size show the neighbours' work; CPU time only grows when neighbours have emptied the caches.
 */
const MOST_WAITED_PERCENT = { p99: 1, cpu: 10 }

/** What an earlier Gate may be exceeded by: less is not told from the neighbours' work. */
const NO_WORSE = 1.05
const PEERS = ['portkey', 'litellm', 'bifrost'] as const

/** Gate beside each other server, where both were measured. */
export function compareAnswers(windows: Windows<AnswerFigures>): readonly Comparison[] {
  return [
    compare(windows, 'before', 'CPU time per request', 'cpuUsPerRequest', NO_WORSE, 'waitedPercent'),
    compare(windows, 'nginx', 'CPU time per request', 'cpuUsPerRequest', null, 'waitedPercent'),
    ...PEERS.map((peer) => compare(windows, peer, 'CPU time per request', 'cpuUsPerRequest', null, 'waitedPercent')),
    compare(windows, 'bare', 'CPU time per request', 'cpuUsPerRequest', 1.1, 'waitedPercent'),
    compare(windows, 'bare', 'p99 at 1,000/s', 'fixedP99Us', 1.5, 'fixedWaitedPercent'),
  ].flatMap((comparison) => comparison ?? [])
}

export function compareStreams(windows: Windows<StreamFigures>): readonly Comparison[] {
  return [
    compare(windows, 'before', 'CPU time per token', 'cpuUsPerToken', NO_WORSE, 'waitedPercent'),
    ...PEERS.map((peer) => compare(windows, peer, 'CPU time per token', 'cpuUsPerToken', null, 'waitedPercent')),
    compare(windows, 'bare', 'CPU time per token', 'cpuUsPerToken', 1.15, 'waitedPercent'),
  ].flatMap((comparison) => comparison ?? [])
}

/** @param waited the figure that says how long a server waited for its core in that window */
function compare<F extends string>(
  windows: Windows<Readonly<Record<F, number>>>,
  other: ServerName,
  what: string,
  figure: F,
  goal: number | null,
  waited: F,
): Comparison | null {
  const [ours, theirs] = [windows.gate ?? [], windows[other] ?? []]
  if (ours.length === 0 || theirs.length === 0) return null
  return compareWindows(`gate / ${other}, ${what}`, ours, theirs, { figure, goal, waited })
}

/** The figures of two rows, window by window. */
export function compareWindows<F extends string>(
  what: string,
  ours: readonly Readonly<Record<F, number>>[],
  theirs: readonly Readonly<Record<F, number>>[],
  { figure, goal, waited }: { readonly figure: F; readonly goal: number | null; readonly waited: F },
): Comparison {
  const ratios = ours.map((window, at) => window[figure] / (theirs[at]?.[figure] ?? Number.NaN))
  const waits = [...ours, ...theirs].map((window) => window[waited])
  const most = MOST_WAITED_PERCENT[figure === 'fixedP99Us' ? 'p99' : 'cpu']
  const spread = { ratio: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) }
  return { what, ...spread, goal, verdict: verdictOf(ratios, waits, goal, most) }
}

/**
 * @param waitedPercent of each window @param goal null: whether there is a difference at all @param mostWaited percent
 */
export function verdictOf(
  ratios: readonly number[],
  waitedPercent: readonly number[],
  goal: number | null,
  mostWaited: number,
): string {
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)]
  const waited = median(waitedPercent)
  if (ratios.length < FEWEST_WINDOWS) return `undecided: fewer than ${FEWEST_WINDOWS} runs`
  if (waited > mostWaited) return `undecided: the servers waited ${waited.toFixed(1)} % of the time for their core`
  if (goal === null) return high < 1 ? 'less' : low > 1 ? 'more' : 'undecided: the spread exceeds the difference'
  return high <= goal ? 'met' : low > goal ? 'missed' : 'undecided: the spread exceeds the difference to the goal'
}
