import { join } from 'node:path'
import type { Case } from './answer-case.ts'
import { runClient } from './children.ts'
import { REQUEST, type Target, TOKEN_INTERVAL_MS } from './servers.ts'
import { type StreamOrder, type StreamResult, streamResult } from './stream-client.ts'

/** Many streams at once. First-token times in microseconds, percent of the window. */
export const STREAM_FIGURES = [
  'firstTokenP50Us',
  'firstTokenP99Us',
  'tokensPerSecond',
  'cpuUsPerToken',
  'waitedPercent',
  'rssBytes',
  'finished',
  'notWhole',
] as const
export type StreamFigures = Readonly<Record<(typeof STREAM_FIGURES)[number], number>>

/** Open at all times. */
export const STREAMS = 500
const TOKENS = 100
const WARM_SECONDS = 1

export async function warmStreams({ server, signal }: Case): Promise<void> {
  await runStreams(server.target, WARM_SECONDS, signal)
}

/** One window. Its CPU time includes the start and the end of the streams, as do its tokens. */
export async function measureStreams({ server: { target, child }, seconds, signal }: Case): Promise<StreamFigures> {
  const before = child.usage()
  const startedMs = performance.now()
  const result = await runStreams(target, seconds, signal)
  const { cpuMs, waitedMs, rssBytes } = child.usage()
  if (result.notWhole > 0) console.error(`bench: ${child.name}: ${result.firstFault}`)
  return {
    ...result,
    cpuUsPerToken: ((cpuMs - before.cpuMs) * 1_000) / result.tokensRead,
    waitedPercent: ((waitedMs - before.waitedMs) * 100) / (performance.now() - startedMs),
    rssBytes,
  }
}

async function runStreams(target: Target, seconds: number, signal: AbortSignal): Promise<StreamResult> {
  const { port, path, headers, model } = target
  const body = { ...REQUEST, model, stream: true, stream_options: { include_usage: true }, max_tokens: TOKENS }
  const streamMs = TOKENS * TOKEN_INTERVAL_MS
  const load = { dialect: 'chat', streams: STREAMS, tokens: TOKENS, streamMs, seconds } as const
  return runStreamClient({ port, path, headers, body, ...load }, signal)
}

/** Runs the client as a process of its own. */
export async function runStreamClient(order: StreamOrder, signal: AbortSignal): Promise<StreamResult> {
  const argv = [process.execPath, join(import.meta.dirname, 'stream-client.ts'), JSON.stringify(order)]
  return streamResult.parse(JSON.parse(await runClient(argv, { lateMs: order.seconds * 1_000 + 30_000, signal })))
}
