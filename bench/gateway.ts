import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { ANSWER_FIGURES, type AnswerFigures, measureAnswers } from './answer-case.ts'
import { type PackageSize, packageSize } from './package-size.ts'
import type { ServerName } from './servers.ts'
import { medianOf } from './statistics.ts'
import { measureStreams, STREAM_COUNTS, STREAM_FIGURES, type StreamFigures } from './stream-case.ts'

export type GatewayOptions = {
  readonly servers: readonly ServerName[]
  /** Length of one measurement; a server has five to seven of them per run. */
  readonly seconds: number
  readonly runs: number
}

/** `package` is null without Gate. Medians over the runs, by server and for streams by number of streams; failures are the worst run's. */
export type GatewayReport = {
  readonly date: string
  readonly cpu: string
  readonly node: string
  readonly seconds: number
  readonly runs: number
  readonly package: PackageSize | null
  readonly loadAverage: { readonly before: number; readonly after: number }
  readonly answers: Readonly<Partial<Record<ServerName, AnswerFigures>>>
  readonly streams: Readonly<Partial<Record<ServerName, Readonly<Record<number, StreamFigures>>>>>
}

const WORST = ['failed', 'notWhole']

/** Measures every server `runs` times, every second run in reverse order, and stops all it started. */
export async function benchGateway(options: GatewayOptions, signal: AbortSignal): Promise<GatewayReport> {
  const size = options.servers.includes('gate') ? packageSize() : null
  const directory = mkdtempSync(join(tmpdir(), 'gate-bench-'))
  const before = loadavg()[0] ?? 0
  const answers = new Map<ServerName, AnswerFigures[]>()
  const streams = new Map<ServerName, StreamFigures[][]>()
  try {
    for (let run = 0; run < options.runs; run += 1) {
      for (const name of run % 2 === 0 ? options.servers : options.servers.toReversed()) {
        const bench = { name, seconds: options.seconds, directory, signal }
        console.error(`bench: run ${run + 1} of ${options.runs}: ${name}`)
        push(answers, name, await measureAnswers(bench))
        push(streams, name, await measureStreams(bench))
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model ?? 'unknown',
    node: process.version,
    seconds: options.seconds,
    runs: options.runs,
    package: size,
    loadAverage: { before, after: loadavg()[0] ?? 0 },
    answers: mapRows(answers, (rows) => medianOf(rows, ANSWER_FIGURES, WORST)),
    streams: mapRows(streams, (rows) =>
      Object.fromEntries(
        STREAM_COUNTS.map((count, at) => [
          count,
          medianOf(
            rows.flatMap((row) => row[at] ?? []),
            STREAM_FIGURES,
            WORST,
          ),
        ]),
      ),
    ),
  }
}

function push<K, V>(rows: Map<K, V[]>, key: K, value: V): void {
  rows.set(key, [...(rows.get(key) ?? []), value])
}

const mapRows = <V, R>(rows: ReadonlyMap<ServerName, V>, change: (value: V) => R) =>
  Object.fromEntries([...rows].map(([name, value]) => [name, change(value)]))
