import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { type Child, freePort, LOAD_CORE, runClient, SERVER_CORE, startChild } from './children.ts'
import { median } from './statistics.ts'
import { markdownTable } from './table.ts'

/** What has to hold: shares of nginx, and absolute figures. */
export const RELAY_FLOORS = { bulk: 0.4, connections: 0.4, mbPerSecondAtRtt: 20, idleKb: 30 } as const
const RTT_MS = 40
const IDLE = 4_000
const LATE_MS = 60_000
const NAME = 'bench.relay.test'

const bulkResult = z.object({ bytes: z.number(), mbPerSecond: z.number() })
const shortResult = z.object({ visits: z.number(), perSecond: z.number(), p99Ms: z.number() })
const slowResult = z.object({ aloneMs: z.number(), besideMs: z.number() })
const stalledResult = z.object({ served: z.number(), medianMs: z.number(), worstMs: z.number() })

/** Of one window. */
type Window = {
  readonly mbPerSecond: number
  readonly cpuSecondsPerGb: number
  readonly perSecond: number
  readonly p99Ms: number
}
const FIGURES = ['mbPerSecond', 'cpuSecondsPerGb', 'perSecond', 'p99Ms'] as const
type Side = 'relay' | 'nginx'

export type RelayReport = {
  readonly date: string
  readonly cpu: string
  readonly node: string
  readonly seconds: number
  readonly runs: number
  readonly loadAverage: number
  readonly medians: Readonly<Record<Side, Window>>
  readonly windows: Readonly<Record<Side, readonly Window[]>>
  readonly mbPerSecondAtRtt: number
  readonly idleKb: number
  readonly stalled: z.infer<typeof stalledResult>
  readonly slow: z.infer<typeof slowResult>
}

type Order = { readonly seconds: number; readonly runs: number }

/** The relay and nginx (`stream`, `ssl_preread`, without any tunnel) on one core, loaded in turn. */
export async function benchRelay({ seconds, runs }: Order, signal: AbortSignal): Promise<RelayReport> {
  const loadAverage = loadavg()[0] ?? 0
  const directory = mkdtempSync(join(tmpdir(), 'gate-bench-'))
  try {
    await using started = new AsyncDisposableStack()
    const ports = { relay: await freePort(), nginx: await freePort(), site: await freePort() }
    const start = async (name: string, core: number, argv: readonly string[]): Promise<Child> => {
      const child = started.use(startChild({ name, core, argv, directory }))
      if (name !== 'nginx') await ready(directory, child)
      return child
    }
    const program = (role: string, ...numbers: number[]) => [process.execPath, PROGRAM, role, ...numbers.map(String)]
    const relay = await start('relay', SERVER_CORE, program('relay', ports.relay))
    await start('home', LOAD_CORE, program('home', ports.relay, ports.site))
    const name = /ready (\S+)/.exec(readFileSync(join(directory, 'home.log'), 'utf8'))?.[1] ?? NAME
    const nginx = await start('nginx', SERVER_CORE, nginxStream(directory, ports.nginx, ports.site))
    await wait(500)
    nginx.assertRunning()
    const sides: readonly (readonly [Side, Child, number])[] = [
      ['relay', relay, ports.relay],
      ['nginx', nginx, ports.nginx],
    ]
    const windows: Record<Side, Window[]> = { relay: [], nginx: [] }
    for (const [, , port] of sides) await visit(port, name, 'short', 1, shortResult, signal)
    // before the bulk, which leaves room in the heap where they would not be seen
    const idleKb = await idleVisitors(relay, ports.relay, name)
    for (const [, child, port] of sides) await measure(child, port, name, 1, signal)
    for (let run = 0; run < runs; run += 1) {
      console.error(`bench: relay, run ${run + 1} of ${runs}`)
      for (const [side, child, port] of run % 2 === 0 ? sides : sides.toReversed())
        windows[side].push(await measure(child, port, name, seconds, signal))
    }
    const stalled = await visit(ports.relay, name, 'stalled', seconds, stalledResult, signal)
    const slow = await visit(ports.relay, name, 'slow', seconds, slowResult, signal)
    const delayPort = await freePort()
    await start('delay', LOAD_CORE, program('delay', delayPort, ports.relay, RTT_MS))
    const far = await start('far', LOAD_CORE, program('home', delayPort, await freePort()))
    const farName = /ready (\S+)/.exec(readFileSync(join(directory, 'far.log'), 'utf8'))?.[1] ?? NAME
    await wait(500)
    const atRtt = await visit(ports.relay, farName, 'bulk', Math.max(3, seconds), bulkResult, signal)
    far.assertRunning()
    return {
      date: new Date().toISOString().slice(0, 10),
      cpu: cpus()[0]?.model ?? 'unknown',
      node: process.version,
      seconds,
      runs,
      loadAverage,
      medians: { relay: medians(windows.relay), nginx: medians(windows.nginx) },
      windows,
      mbPerSecondAtRtt: atRtt.mbPerSecond,
      idleKb,
      stalled,
      slow,
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const PROGRAM = join(import.meta.dirname, 'relay-program.ts')
const CLIENT = join(import.meta.dirname, 'relay-client.ts')

async function measure(
  child: Child,
  port: number,
  name: string,
  seconds: number,
  signal: AbortSignal,
): Promise<Window> {
  const before = child.usage()
  const bulk = await visit(port, name, 'bulk', seconds, bulkResult, signal)
  const after = child.usage()
  const short = await visit(port, name, 'short', seconds, shortResult, signal)
  return {
    mbPerSecond: bulk.mbPerSecond,
    cpuSecondsPerGb: (after.cpuMs - before.cpuMs) / 1_000 / (bulk.bytes / 1e9),
    perSecond: short.perSecond,
    p99Ms: short.p99Ms,
  }
}

const clientArgv = (port: number, name: string, kind: string, seconds: number) => [
  process.execPath,
  CLIENT,
  String(port),
  name,
  kind,
  String(seconds),
]

async function visit<T>(
  port: number,
  name: string,
  kind: string,
  seconds: number,
  shape: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T> {
  const argv = clientArgv(port, name, kind, seconds)
  return shape.parse(JSON.parse(await runClient(argv, { lateMs: seconds * 1_000 + LATE_MS, signal })))
}

/** @returns KB of the relay for each visitor that stays without a word */
async function idleVisitors(relay: Child, port: number, name: string): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'gate-bench-'))
  try {
    const before = relay.usage().rssBytes
    const argv = clientArgv(port, name, 'idle', 1)
    await using client = startChild({ name: 'idle', core: LOAD_CORE, argv, directory })
    for (let left = 100; left > 0; left -= 1) {
      await wait(200)
      if (readFileSync(join(directory, 'idle.log'), 'utf8').includes('idle')) break
      client.assertRunning()
    }
    return (relay.usage().rssBytes - before) / IDLE / 1_024
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function ready(directory: string, child: Child): Promise<void> {
  for (let left = 100; left > 0; left -= 1) {
    if (readFileSync(join(directory, `${child.name}.log`), 'utf8').includes('ready')) return
    child.assertRunning()
    await wait(100)
  }
  throw new Error(`${child.name} is not ready after 10 s`)
}

/** @returns the command line of an nginx that routes by the name in the ClientHello */
function nginxStream(directory: string, port: number, site: number): string[] {
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const text = `
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off; worker_processes 1; pid ${directory}/nginx.pid; ${user}
events { worker_connections 8192; }
stream {
  map $ssl_preread_server_name $site { default 127.0.0.1:${site}; }
  server { listen 127.0.0.1:${port}; ssl_preread on; proxy_pass $site; tcp_nodelay on; }
}
`
  writeFileSync(join(directory, 'nginx.conf'), text)
  return ['nginx', '-p', directory, '-e', 'stderr', '-c', 'nginx.conf']
}

const medians = (windows: readonly Window[]): Window =>
  Object.fromEntries(FIGURES.map((figure) => [figure, median(windows.map((window) => window[figure]))])) as Window

/** The report as Markdown. */
export function relayText({
  medians: { relay, nginx },
  mbPerSecondAtRtt,
  idleKb,
  stalled,
  slow,
  ...rest
}: RelayReport): string {
  const { date, cpu, node, seconds, runs, loadAverage } = rest
  const fixed = (value: number, digits = 0) => value.toFixed(digits)
  const rows = [
    ['', 'gate-relay', 'nginx ssl_preread', 'ratio', 'floor'],
    [
      'bulk, one visitor, MB/s',
      fixed(relay.mbPerSecond),
      fixed(nginx.mbPerSecond),
      fixed(relay.mbPerSecond / nginx.mbPerSecond, 2),
      `${RELAY_FLOORS.bulk}`,
    ],
    [
      'CPU seconds for each GB',
      fixed(relay.cpuSecondsPerGb, 2),
      fixed(nginx.cpuSecondsPerGb, 2),
      fixed(relay.cpuSecondsPerGb / nginx.cpuSecondsPerGb, 2),
      '',
    ],
    [
      'new connections in a second',
      fixed(relay.perSecond),
      fixed(nginx.perSecond),
      fixed(relay.perSecond / nginx.perSecond, 2),
      `${RELAY_FLOORS.connections}`,
    ],
    [
      'p99 of one, 16 at once, ms',
      fixed(relay.p99Ms, 1),
      fixed(nginx.p99Ms, 1),
      fixed(relay.p99Ms / nginx.p99Ms, 2),
      '',
    ],
    [
      `one visitor, ${RTT_MS} ms from relay to home, MB/s`,
      fixed(mbPerSecondAtRtt, 1),
      '',
      '',
      `>= ${RELAY_FLOORS.mbPerSecondAtRtt}`,
    ],
    ['KB of an idle visitor', fixed(idleKb, 1), '', '', `<= ${RELAY_FLOORS.idleKb}`],
    ['new visitor beside 500 that do not read, median ms', fixed(stalled.medianMs, 1), '', '', 'served'],
    [
      'p99 of a visit beside 5,000 slow hellos / alone, ms',
      fixed(slow.besideMs, 1),
      fixed(slow.aloneMs, 1),
      fixed(slow.besideMs / slow.aloneMs, 2),
      '<= 2',
    ],
  ]
  const about = `${date}, ${cpu}, Node ${node}, ${runs} runs of ${seconds} s, load average ${fixed(loadAverage, 1)}`
  return `${about}\n\n${markdownTable(rows)}`
}
