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
  await runStreamClient(server.target, WARM_SECONDS, signal)
}

/** One window. Its CPU time includes the start and the end of the streams, as do its tokens. */
export async function measureStreams({ server: { target, child }, seconds, signal }: Case): Promise<StreamFigures> {
  const before = child.usage()
  const startedMs = performance.now()
  const result = await runStreamClient(target, seconds, signal)
  const { cpuMs, waitedMs, rssBytes } = child.usage()
  if (result.notWhole > 0) console.error(`bench: ${child.name}: ${result.firstFault}`)
  return {
    ...result,
    cpuUsPerToken: ((cpuMs - before.cpuMs) * 1_000) / (result.finished * TOKENS),
    waitedPercent: ((waitedMs - before.waitedMs) * 100) / (performance.now() - startedMs),
    rssBytes,
  }
}

async function runStreamClient(target: Target, seconds: number, signal: AbortSignal): Promise<StreamResult> {
  const { port, path, headers } = target
  const body = { ...REQUEST, stream: true, stream_options: { include_usage: true } }
  const streamMs = TOKENS * TOKEN_INTERVAL_MS
  const order: StreamOrder = { port, path, headers, body, streams: STREAMS, tokens: TOKENS, streamMs, seconds }
  const argv = [process.execPath, join(import.meta.dirname, 'stream-client.ts'), JSON.stringify(order)]
  return streamResult.parse(JSON.parse(await runClient(argv, { lateMs: seconds * 1_000 + 30_000, signal })))
}
