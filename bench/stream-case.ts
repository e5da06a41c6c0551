import { join } from 'node:path'
import { runClient } from './children.ts'
import { type Bench, REQUEST, type Running, startMock, startServer, type Target, TOKEN_INTERVAL_MS } from './servers.ts'
import { type StreamOrder, type StreamResult, streamResult } from './stream-client.ts'

/** Many streams at once. First-token times in microseconds. */
export const STREAM_FIGURES = [
  'firstTokenP50Us',
  'firstTokenP99Us',
  'tokensPerSecond',
  'cpuUsPerToken',
  'rssBytes',
  'finished',
  'notWhole',
] as const
export type StreamFigures = Readonly<Record<(typeof STREAM_FIGURES)[number], number>>

export const STREAM_COUNTS = [100, 500] as const
const TOKENS = 100

/** Measures one server, from its start to its stop. @returns a row for each of STREAM_COUNTS */
export async function measureStreams({ name, seconds, directory, signal }: Bench): Promise<StreamFigures[]> {
  await using mock = await startMock('streams', directory)
  if (name === 'mock') return await loadStreams(mock, seconds, signal)
  await using server = await startServer(name, 'streams', mock, directory)
  return await loadStreams(server, seconds, signal)
}

async function loadStreams({ target, child }: Running, seconds: number, signal: AbortSignal): Promise<StreamFigures[]> {
  const figures: StreamFigures[] = []
  for (const streams of STREAM_COUNTS) {
    const cpuBefore = child.usage().cpuMs
    const result = await runStreamClient(target, streams, seconds, signal)
    if (result.notWhole > 0) console.error(`bench: ${child.name}, ${streams} streams: ${result.firstFault}`)
    const { cpuMs, rssBytes } = child.usage()
    const cpuUsPerToken = ((cpuMs - cpuBefore) * 1_000) / (result.finished * TOKENS)
    figures.push({ ...result, cpuUsPerToken, rssBytes })
  }
  return figures
}

async function runStreamClient(
  target: Target,
  streams: number,
  seconds: number,
  signal: AbortSignal,
): Promise<StreamResult> {
  const { port, path, headers } = target
  const body = { ...REQUEST, stream: true, stream_options: { include_usage: true } }
  const streamMs = TOKENS * TOKEN_INTERVAL_MS
  const order: StreamOrder = { port, path, headers, body, streams, tokens: TOKENS, streamMs, seconds }
  const argv = [process.execPath, join(import.meta.dirname, 'stream-client.ts'), JSON.stringify(order)]
  return streamResult.parse(JSON.parse(await runClient(argv, { lateMs: seconds * 1_000 + 30_000, signal })))
}
