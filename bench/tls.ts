import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './children.ts'
import { type Comparison, compareWindows } from './compare.ts'
import { runH2Load } from './h2load.ts'
import type { TlsPlace } from './nginx.ts'
import { type Running, startMock, startServer } from './servers.ts'
import { medianOf } from './statistics.ts'
import { comparisonsTable, count, markdownTable } from './table.ts'
import { runWrk } from './wrk.ts'

const TLS_SERVERS = ['nginx', 'gate'] as const
type TlsServer = (typeof TLS_SERVERS)[number]

/** Of each kind of load: how many there were in a second, and what one took; percent of the window; requests that failed. */
const TLS_FIGURES = ['perSecond', 'cpuUsEach', 'waitedPercent', 'failed'] as const
type TlsFigures = Readonly<Record<(typeof TLS_FIGURES)[number], number>>

/** What is compared; on a machine that is busy the latter says more. */
const COMPARED = [
  ['perSecond', 'in a second'],
  ['cpuUsEach', 'CPU time of one'],
] as const

type Load = { readonly requestsPerSecond: number; readonly requests: number; readonly failed: number }
type Order = { readonly seconds: number; readonly directory: string; readonly signal: AbortSignal }

/** Every connection of the first asks once, after a full handshake: wrk resumes no session. */
const LOADS = {
  'new connections': ({ target }, { seconds, directory, signal }) =>
    runWrk({ ...target, headers: { ...target.headers, connection: 'close' } }, seconds, directory, signal, 'https'),
  'requests, HTTP/1.1': ({ target }, { seconds, directory, signal }) =>
    runWrk(target, seconds, directory, signal, 'https'),
  'requests, HTTP/2': ({ target }, { seconds, directory, signal }) => runH2Load(target, seconds, directory, signal),
} satisfies Readonly<Record<string, (server: Running, order: Order) => Promise<Load>>>
type LoadName = keyof typeof LOADS
const LOAD_NAMES = Object.keys(LOADS) as LoadName[]

type Windows = Readonly<Record<LoadName, Readonly<Record<TlsServer, readonly TlsFigures[]>>>>

export type TlsReport = {
  readonly date: string
  readonly cpu: string
  readonly node: string
  readonly seconds: number
  readonly runs: number
  readonly loadAverage: { readonly before: number; readonly after: number }
  readonly rows: Readonly<Record<LoadName, Readonly<Record<TlsServer, TlsFigures>>>>
  readonly comparisons: readonly Comparison[]
  readonly windows: Windows
}

/** Gate and nginx in front of one mock, with the same certificate and key, loaded in turn. */
export async function benchTls(
  options: { readonly seconds: number; readonly runs: number },
  signal: AbortSignal,
): Promise<TlsReport> {
  const before = loadavg()[0] ?? 0
  const directory = mkdtempSync(join(tmpdir(), 'gate-bench-'))
  try {
    const windows = await measure({ ...options, directory, signal })
    const rows = byLoad((load) => byServer((name) => medianOf(windows[load][name], TLS_FIGURES, ['failed'])))
    return {
      date: new Date().toISOString().slice(0, 10),
      cpu: cpus()[0]?.model ?? 'unknown',
      node: process.version,
      seconds: options.seconds,
      runs: options.runs,
      loadAverage: { before, after: loadavg()[0] ?? 0 },
      rows,
      comparisons: LOAD_NAMES.flatMap((load) =>
        COMPARED.map(([figure, what]) =>
          compareWindows(`gate / nginx, ${load}: ${what}`, windows[load].gate, windows[load].nginx, {
            figure,
            goal: null,
            waited: 'waitedPercent',
          }),
        ),
      ),
      windows,
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measure({ runs, ...order }: Order & { readonly runs: number }): Promise<Windows> {
  await using started = new AsyncDisposableStack()
  const certificate = makeCertificate(order.directory)
  const mock = started.use(await startMock('answers', order.directory))
  const servers: [TlsServer, Running][] = []
  for (const name of TLS_SERVERS) {
    const tls: TlsPlace = { ...certificate, port: await freePort() }
    const server = started.use(await startServer(name, 'answers', mock, order.directory, {}, tls))
    const overTls = { ...server, target: { ...server.target, port: tls.port } }
    servers.push([name, overTls])
    for (const load of LOAD_NAMES) await LOADS[load](overTls, { ...order, seconds: 2 })
  }
  const windows = byLoad(() => byServer((): TlsFigures[] => []))
  for (let run = 0; run < runs; run += 1) {
    console.error(`bench: tls, run ${run + 1} of ${runs}`)
    for (const load of LOAD_NAMES) {
      for (const [name, server] of run % 2 === 0 ? servers : servers.toReversed())
        windows[load][name].push(await measureWindow(server, load, order))
    }
  }
  return windows
}

async function measureWindow(server: Running, load: LoadName, order: Order): Promise<TlsFigures> {
  const before = server.child.usage()
  const { requestsPerSecond, requests, failed } = await LOADS[load](server, order)
  const after = server.child.usage()
  return {
    perSecond: requestsPerSecond,
    cpuUsEach: ((after.cpuMs - before.cpuMs) * 1_000) / requests,
    waitedPercent: (after.waitedMs - before.waitedMs) / order.seconds / 10,
    failed,
  }
}

/** A key on P-256, as most certificates have today. */
function makeCertificate(directory: string): { readonly cert: string; readonly key: string } {
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
    ...subject,
  ]
  const { status, stderr } = spawnSync('openssl', [...args, '-keyout', key, '-out', cert], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl made no certificate: ${stderr}`)
  return { cert, key }
}

const byServer = <V>(make: (name: TlsServer) => V) =>
  Object.fromEntries(TLS_SERVERS.map((name) => [name, make(name)])) as Record<TlsServer, V>
const byLoad = <V>(make: (name: LoadName) => V) =>
  Object.fromEntries(LOAD_NAMES.map((name) => [name, make(name)])) as Record<LoadName, V>

/** The report as Markdown. */
export function tlsText({ rows, comparisons, ...report }: TlsReport): string {
  const head = ['over TLS', 'nginx per s', 'gate per s', 'nginx CPU us', 'gate CPU us', 'waited %', 'failed']
  const lines = LOAD_NAMES.map((load) => {
    const { nginx, gate } = rows[load]
    const waited = `${count(nginx.waitedPercent, 1)} / ${count(gate.waitedPercent, 1)}`
    const failed = `${nginx.failed} / ${gate.failed}`
    return [
      load,
      count(nginx.perSecond),
      count(gate.perSecond),
      count(nginx.cpuUsEach, 1),
      count(gate.cpuUsEach, 1),
      waited,
      failed,
    ]
  })
  const { date, cpu, node, seconds, runs, loadAverage } = report
  const notes =
    `${date}, ${cpu}, Node ${node}, medians of ${runs} windows of ${seconds} s in turn, ` +
    `load average ${loadAverage.before.toFixed(1)} before and ${loadAverage.after.toFixed(1)} after.`
  return [markdownTable([head, ...lines]), comparisonsTable(comparisons), notes].join('\n\n')
}
