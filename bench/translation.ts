import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { agentRequest } from './agent-request.ts'
import { type Comparison, compareWindows } from './compare.ts'
import type { DialectName } from './dialects.ts'
import { GATE_MODELS, pathAt, type Running, type ServerName, startMock, startPeer } from './servers.ts'
import { medianOf } from './statistics.ts'
import { runStreamClient } from './stream-case.ts'

export const TRANSLATION_FIGURES = [
  'cpuUsPerRequest',
  'cpuUsPerToken',
  'firstTokenP50Us',
  'waitedPercent',
  'rssBytes',
  'finished',
  'notWhole',
] as const
export type TranslationFigures = Readonly<Record<(typeof TRANSLATION_FIGURES)[number], number>>

/** Who is asked, in which dialect, and which one the upstream speaks. `isKept`: the answer may be asked for again. */
type Route = {
  readonly server: Exclude<ServerName, 'mock'>
  readonly client: DialectName
  readonly upstream: DialectName
  readonly isKept?: boolean
}

const ROUTES: readonly Route[] = [
  { server: 'gate', client: 'chat', upstream: 'chat' },
  { server: 'gate', client: 'messages', upstream: 'messages' },
  { server: 'gate', client: 'responses', upstream: 'responses' },
  { server: 'gate', client: 'messages', upstream: 'chat' },
  { server: 'gate', client: 'chat', upstream: 'messages' },
  { server: 'gate', client: 'responses', upstream: 'chat' },
  { server: 'gate', client: 'responses', upstream: 'chat', isKept: true },
  { server: 'portkey', client: 'chat', upstream: 'chat' },
  { server: 'litellm', client: 'chat', upstream: 'chat' },
  { server: 'litellm', client: 'messages', upstream: 'chat' },
  { server: 'bifrost', client: 'chat', upstream: 'chat' },
  { server: 'bifrost', client: 'messages', upstream: 'chat' },
]

const nameOf = ({ server, client, upstream, isKept }: Route): string =>
  `${server}: ${client} to ${upstream}${isKept === true ? ', kept' : ''}`

/** `intervalMs` between two tokens; 0: the upstream sends all at once. */
type Pace = { readonly name: string; readonly intervalMs: number; readonly streams: number }
const PACES: readonly Pace[] = [
  { name: 'a token every 5 ms', intervalMs: 5, streams: 32 },
  { name: 'all tokens at once', intervalMs: 0, streams: 8 },
]
const TOKENS = 200
const MOST_RATIO = 2

export type TranslationReport = {
  readonly date: string
  readonly node: string
  readonly runs: number
  readonly loadAverage: { readonly before: number; readonly after: number }
  readonly paces: readonly {
    readonly name: string
    readonly rows: readonly { readonly name: string; readonly figures: TranslationFigures }[]
    readonly comparisons: readonly Comparison[]
  }[]
}

/** Sends what coding agents send, in each dialect to upstreams of each, and compares what it takes. */
export async function benchTranslation(
  options: { readonly servers: readonly ServerName[]; readonly seconds: number; readonly runs: number },
  signal: AbortSignal,
): Promise<TranslationReport> {
  const before = loadavg()[0] ?? 0
  const directory = mkdtempSync(join(tmpdir(), 'gate-bench-'))
  try {
    const paces: TranslationReport['paces'][number][] = []
    for (const pace of PACES) paces.push(await measurePace(pace, { ...options, directory, signal }))
    return {
      date: new Date().toISOString().slice(0, 10),
      node: process.version,
      runs: options.runs,
      loadAverage: { before, after: loadavg()[0] ?? 0 },
      paces,
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

type Place = {
  readonly servers: readonly ServerName[]
  readonly seconds: number
  readonly runs: number
  readonly directory: string
  readonly signal: AbortSignal
}

async function measurePace(pace: Pace, { servers, seconds, runs, directory, signal }: Place) {
  await using started = new AsyncDisposableStack()
  const mock = started.use(await startMock('streams', directory, pace.intervalMs))
  const running = new Map<ServerName, Running>()
  for (const server of servers) {
    if (server === 'mock' || !ROUTES.some((route) => route.server === server)) continue
    const one = await startPeer(server, 'streams', mock, directory)
    if (one !== null) running.set(server, started.use(one))
  }
  const routes = ROUTES.filter(({ server }) => running.has(server))
  const windows = new Map(routes.map((route) => [nameOf(route), [] as TranslationFigures[]]))
  const measure = async (route: Route, windowSeconds: number) => {
    const server = running.get(route.server)
    if (server === undefined) throw new Error(`${route.server} does not run`)
    return measureRoute(route, server, pace, windowSeconds, signal)
  }
  for (const route of routes) await measure(route, 1)
  for (let run = 0; run < runs; run += 1) {
    console.error(`bench: ${pace.name}, run ${run + 1} of ${runs}`)
    for (const route of run % 2 === 0 ? routes : routes.toReversed()) {
      windows.get(nameOf(route))?.push(await measure(route, seconds))
    }
  }
  return {
    name: pace.name,
    rows: [...windows].map(([name, figures]) => ({
      name,
      figures: medianOf(figures, TRANSLATION_FIGURES, ['notWhole']),
    })),
    comparisons: compareRoutes(windows),
  }
}

async function measureRoute(
  { server, client, upstream, isKept }: Route,
  { target, child }: Running,
  { intervalMs, streams }: Pace,
  seconds: number,
  signal: AbortSignal,
): Promise<TranslationFigures> {
  const model = server === 'gate' ? GATE_MODELS[upstream] : target.model
  const body = {
    ...agentRequest(client, model, TOKENS),
    ...(client === 'responses' && { store: isKept === true }),
  }
  const { port, headers } = target
  const path = pathAt(server, client)
  const before = child.usage()
  const startedMs = performance.now()
  const load = { dialect: client, streams, tokens: TOKENS, streamMs: TOKENS * intervalMs, seconds }
  const result = await runStreamClient({ port, path, headers, body, ...load }, signal)
  const { cpuMs, waitedMs, rssBytes } = child.usage()
  if (result.notWhole > 0) console.error(`bench: ${server}, ${client} to ${upstream}: ${result.firstFault}`)
  const cpuUs = (cpuMs - before.cpuMs) * 1_000
  return {
    cpuUsPerRequest: cpuUs / result.finished,
    cpuUsPerToken: cpuUs / result.tokensRead,
    firstTokenP50Us: result.firstTokenP50Us,
    waitedPercent: ((waitedMs - before.waitedMs) * 100) / (performance.now() - startedMs),
    rssBytes,
    finished: result.finished,
    notWhole: result.notWhole,
  }
}

/** The first of each pair may take so many times what the second one takes; null: there is no goal. */
const PAIRS: readonly (readonly [string, string, number | null])[] = [
  ['gate: messages to chat', 'gate: chat to chat', MOST_RATIO],
  ['gate: messages to chat', 'gate: messages to messages', MOST_RATIO],
  ['gate: chat to messages', 'gate: chat to chat', MOST_RATIO],
  ['gate: responses to chat', 'gate: chat to chat', MOST_RATIO],
  ['gate: responses to chat, kept', 'gate: responses to chat', null],
  ['gate: chat to chat', 'litellm: chat to chat', null],
  ['gate: messages to chat', 'litellm: messages to chat', null],
  ['gate: messages to chat', 'bifrost: messages to chat', null],
]

function compareRoutes(windows: ReadonlyMap<string, readonly TranslationFigures[]>): readonly Comparison[] {
  return PAIRS.flatMap(([ours, theirs, goal]) => {
    const [a, b] = [windows.get(ours), windows.get(theirs)]
    if (a === undefined || b === undefined) return []
    const what = `${ours} / ${theirs}, CPU time per request`
    return [compareWindows(what, a, b, { figure: 'cpuUsPerRequest', goal, waited: 'waitedPercent' })]
  })
}
