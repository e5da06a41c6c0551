import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Child, runClient } from './children.ts'
import { startMock, startServer } from './servers.ts'
import { type SoakOrder, soakResult } from './soak-client.ts'
import { slopeOf } from './statistics.ts'
import { count, markdownTable } from './table.ts'

const CONNECTIONS = 64
const BATCH = 10_000
const TOKEN_INTERVAL_MS = 1
/** For the daemon to collect what it does not need, and to say what is left. */
const LATEST_MEMORY_MS = 30_000
/** A batch takes a few seconds on a quiet machine. */
const LATE_MS = 180_000
/** The first part warms up: tables of connections, compiled code, the heap. */
const WARM_SHARE = 0.2
/** Ten bytes for each request: less is told from nothing by no run of this length. */
const FLAT_MIB = 1
const PER = 100_000
const MIB = 2 ** 20

/** After each batch. */
type Sample = {
  readonly requests: number
  /** Resident memory, and of that what is needed after a collection of garbage. */
  readonly rssMib: number
  readonly neededMib: number
  readonly cpuUsPerRequest: number
}

type Slope = ReturnType<typeof slopeOf>

export type SoakReport = {
  readonly date: string
  readonly node: string
  readonly loadAverage: number
  readonly seconds: number
  readonly samples: readonly Sample[]
  readonly answered: number
  readonly aborted: number
  readonly unexpected: number
  /** MiB for 100,000 requests, after the warm-up, of resident memory and of what is needed. */
  readonly rss: Slope
  readonly needed: Slope
  readonly verdict: string
}

/**
 * Sends one daemon a mix of requests (dialects, streams, errors, clients that leave) and looks whether its memory grows.
 * @param options `minutes`: when these are over no further batch begins
 */
export async function benchSoak(
  options: { readonly requests: number; readonly minutes: number },
  signal: AbortSignal,
): Promise<SoakReport> {
  const directory = mkdtempSync(join(tmpdir(), 'gate-bench-'))
  const startedMs = performance.now()
  try {
    await using started = new AsyncDisposableStack()
    const mock = started.use(await startMock('streams', directory, TOKEN_INTERVAL_MS))
    const memoryFile = join(directory, 'memory')
    const environment = {
      GATE_SERVER__MAX_KEPT: '32MiB', // little enough that answers are trimmed, too
      NODE_OPTIONS: `--import ${join(import.meta.dirname, 'memory-on-signal.ts')}`,
      BENCH_MEMORY_FILE: memoryFile,
    }
    const { child, target } = started.use(await startServer('gate', 'streams', mock, directory, environment))
    const samples: Sample[] = []
    const sums = { answered: 0, aborted: 0, unexpected: 0 }
    const isLate = () => performance.now() - startedMs > options.minutes * 60_000
    for (let requests = 0; requests < options.requests && !isLate(); ) {
      const batch = Math.min(BATCH, options.requests - requests)
      const { cpuMs } = child.usage()
      const order: SoakOrder = { port: target.port, requests: batch, connections: CONNECTIONS }
      const argv = [process.execPath, join(import.meta.dirname, 'soak-client.ts'), JSON.stringify(order)]
      const result = soakResult.parse(JSON.parse(await runClient(argv, { lateMs: LATE_MS, signal })))
      if (result.unexpected > 0) console.error(`bench: ${result.firstFault}`)
      const after = child.usage()
      requests += batch
      const neededBytes = await neededMemory(child, memoryFile)
      samples.push({
        requests,
        rssMib: after.rssBytes / MIB,
        neededMib: neededBytes / MIB,
        cpuUsPerRequest: ((after.cpuMs - cpuMs) * 1_000) / batch,
      })
      for (const name of ['answered', 'aborted', 'unexpected'] as const) sums[name] += result[name]
      const last = samples.at(-1)
      console.error(
        `bench: ${count(requests)} requests, ${count(last?.rssMib ?? 0)} MiB, needed ${count(last?.neededMib ?? 0)}`,
      )
    }
    const warm = afterWarmUp(samples)
    const slopeIn = (of: (sample: Sample) => number) => slopeOf(warm.map((one) => [one.requests / PER, of(one)]))
    const needed = slopeIn(({ neededMib }) => neededMib)
    return {
      date: new Date().toISOString().slice(0, 10),
      node: process.version,
      loadAverage: loadavg()[0] ?? 0,
      seconds: (performance.now() - startedMs) / 1_000,
      samples,
      ...sums,
      rss: slopeIn(({ rssMib }) => rssMib),
      needed,
      verdict: flatness(needed.slope, needed.error),
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Of the requests that were sent, which are fewer than were asked for when the time was over. */
export function afterWarmUp<S extends Pick<Sample, 'requests'>>(samples: readonly S[]): readonly S[] {
  const sent = samples.at(-1)?.requests ?? 0
  return samples.filter(({ requests }) => requests > sent * WARM_SHARE)
}

/** Has the daemon collect its garbage. @returns the bytes that it needs then @throws Error when it does not say */
async function neededMemory(child: Child, file: string): Promise<number> {
  rmSync(file, { force: true })
  child.signal('SIGUSR2')
  for (const latestMs = performance.now() + LATEST_MEMORY_MS; performance.now() < latestMs; ) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    const bytes = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
    if (bytes > 0) return bytes
  }
  throw new Error(`the daemon did not say in ${LATEST_MEMORY_MS} ms what memory it needs`)
}

/** @param error the standard error of the slope, both in MiB for 100,000 requests */
export function flatness(slope: number, error: number): string {
  if (slope + 2 * error <= FLAT_MIB) return `flat: less than ${FLAT_MIB} MiB for ${count(PER)} requests`
  if (slope - 2 * error > FLAT_MIB) return `it grows by more than ${FLAT_MIB} MiB for ${count(PER)} requests`
  return 'undecided: too few requests for what the memory varies'
}

const SHOWN = 10

/** The report as Markdown. */
export function soakText(report: SoakReport): string {
  const { samples, answered, aborted, unexpected, rss, needed, verdict } = report
  const every = Math.max(1, Math.ceil(samples.length / SHOWN))
  const rows = samples.filter((_, index) => (index + 1) % every === 0 || index === samples.length - 1)
  const table = markdownTable([
    ['requests', 'RSS MiB', 'needed MiB', 'CPU us/request'],
    ...rows.map(({ requests, rssMib, neededMib, cpuUsPerRequest }) =>
      [requests, rssMib, neededMib, cpuUsPerRequest].map((value) => count(value)),
    ),
  ])
  return `${table}

${count(answered)} answered, ${count(aborted)} aborted by the client, ${count(unexpected)} answered in another way than expected.
For ${count(PER)} requests, RSS grows by ${shown(rss)}, what is needed of it by ${shown(needed)}: ${verdict}.

${report.date}, Node ${report.node}, ${count(report.seconds)} s, load average ${report.loadAverage.toFixed(1)}.`
}

const shown = ({ slope, error }: Slope) => `${slope.toFixed(2)} MiB (standard error ${error.toFixed(2)})`
