import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { ANSWER_FIGURES, type AnswerFigures, type Case, measureAnswers, warmAnswers } from './answer-case.ts'
import { type Comparison, compareAnswers, compareStreams, type Windows } from './compare.ts'
import { type PackageSize, packageSize } from './package-size.ts'
import { type ServerName, startMock, startPeer } from './servers.ts'
import { medianOf } from './statistics.ts'
import { measureStreams, STREAM_FIGURES, type StreamFigures, warmStreams } from './stream-case.ts'

export type GatewayOptions = {
  readonly servers: readonly ServerName[]
  /** Length of one window; a server has three of them per run. */
  readonly seconds: number
  readonly runs: number
}

/** `package` is null without Gate. Medians over the windows; failures are the worst window's. */
export type GatewayReport = {
  readonly date: string
  readonly cpu: string
  readonly node: string
  readonly seconds: number
  readonly runs: number
  readonly package: PackageSize | null
  readonly loadAverage: { readonly before: number; readonly after: number }
  readonly answers: Readonly<Partial<Record<ServerName, AnswerFigures>>>
  readonly streams: Readonly<Partial<Record<ServerName, StreamFigures>>>
  readonly comparisons: readonly Comparison[]
  readonly windows: { readonly answers: Windows<AnswerFigures>; readonly streams: Windows<StreamFigures> }
}

const WORST = ['failed', 'notWhole']

/** Starts all servers, measures them in turn `runs` times, and stops all it started. */
export async function benchGateway(options: GatewayOptions, signal: AbortSignal): Promise<GatewayReport> {
  const size = options.servers.includes('gate') ? packageSize() : null
  const directory = mkdtempSync(join(tmpdir(), 'gate-bench-'))
  const before = loadavg()[0] ?? 0
  try {
    const place = { ...options, directory, signal }
    const answers = await interleave('answers', place, warmAnswers, measureAnswers)
    const streams = await interleave('streams', place, warmStreams, measureStreams)
    return {
      date: new Date().toISOString().slice(0, 10),
      cpu: cpus()[0]?.model ?? 'unknown',
      node: process.version,
      seconds: options.seconds,
      runs: options.runs,
      package: size,
      loadAverage: { before, after: loadavg()[0] ?? 0 },
      answers: mapRows(answers, (rows) => medianOf(rows, ANSWER_FIGURES, WORST)),
      streams: mapRows(streams, (rows) => medianOf(rows, STREAM_FIGURES, WORST)),
      comparisons: [...compareAnswers(answers), ...compareStreams(streams)],
      windows: { answers, streams },
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/**
 * All servers run at the same time and are loaded in turn, a window each, every second run in reverse order: what slows
 * the machine down for a while meets all of them. An idle server costs next to nothing.
 */
async function interleave<Figures>(
  kind: 'answers' | 'streams',
  { servers, runs, seconds, directory, signal }: GatewayOptions & Pick<Case, 'directory' | 'signal'>,
  warm: (one: Case) => Promise<void>,
  measure: (one: Case) => Promise<Figures>,
): Promise<Windows<Figures>> {
  await using started = new AsyncDisposableStack()
  const mock = started.use(await startMock(kind, directory))
  const cases = new Map<ServerName, Case>()
  const windows: Partial<Record<ServerName, Figures[]>> = {}
  for (const name of servers) {
    const server = name === 'mock' ? mock : await startPeer(name, kind, mock, directory)
    if (server === null) continue
    if (server !== mock) started.use(server)
    const one = { server, idleRssBytes: server.child.usage().rssBytes, seconds, directory, signal }
    cases.set(name, one)
    await warm(one)
  }
  for (let run = 0; run < runs; run += 1) {
    console.error(`bench: ${kind}, run ${run + 1} of ${runs}`)
    const inTurn = run % 2 === 0 ? [...cases] : [...cases].reverse()
    for (const [name, one] of inTurn) {
      const figures = await measure(one)
      windows[name] = [...(windows[name] ?? []), figures]
    }
  }
  return windows
}

const mapRows = <V, R>(rows: Readonly<Partial<Record<ServerName, V>>>, change: (value: V) => R) =>
  Object.fromEntries(Object.entries(rows).map(([name, value]) => [name, change(value)])) as Partial<
    Record<ServerName, R>
  >
