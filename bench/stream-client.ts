// Streaming client: holds N streams open at once and checks the number in every frame, as its own process.
import { Agent, request } from 'node:http'
import { z } from 'zod'
import { DIALECTS, type DialectName } from './dialects.ts'
import { percentile } from './statistics.ts'

/** What one client process is told; requests go to 127.0.0.1. */
export type StreamOrder = {
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly dialect: DialectName
  /** Must ask for a stream of `tokens` tokens with usage. */
  readonly body: Readonly<Record<string, unknown>>
  readonly streams: number
  readonly tokens: number
  /** Length of one stream as the mock paces it. */
  readonly streamMs: number
  readonly seconds: number
}

// JSON has no NaN; null stands for a figure without a single measurement.
const measured = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN)
/**
 * What it prints. A stream is whole when it has every token once and in order, a finish reason, usage and its last frame.
 * `tokensRead` are all, before and after the window too.
 */
export const streamResult = z.object({
  finished: z.number(),
  notWhole: z.number(),
  firstFault: z.string(),
  tokensRead: z.number(),
  tokensPerSecond: z.number(),
  firstTokenP50Us: measured,
  firstTokenP99Us: measured,
})
export type StreamResult = z.infer<typeof streamResult>

const LATEST_END_MS = 10_000

/**
 * Starts evenly spread over one stream's length, then a new stream whenever one ends, until `seconds` are counted. A
 * fault ends its lane.
 */
export async function runStreams(order: StreamOrder): Promise<StreamResult> {
  const body = JSON.stringify(order.body)
  const agent = new Agent({ keepAlive: true, maxSockets: order.streams })
  const countFromMs = performance.now() + order.streamMs
  const countToMs = countFromMs + order.seconds * 1_000
  const signal = AbortSignal.timeout(order.streamMs * 2 + order.seconds * 1_000 + LATEST_END_MS)
  const firstTokensUs: number[] = []
  const faults: string[] = []
  let finished = 0
  let tokens = 0
  let tokensRead = 0

  async function lane(index: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, (order.streamMs * index) / order.streams))
    while (performance.now() < countToMs) {
      const startMs = performance.now()
      const check = createCheck(order.tokens, order.dialect)
      const fault = await readStream(order, agent, body, signal, (text) => {
        const nowMs = performance.now()
        const before = check.tokens()
        check.push(text)
        if (before === 0 && check.tokens() > 0 && startMs >= countFromMs) firstTokensUs.push((nowMs - startMs) * 1_000)
        if (nowMs >= countFromMs && nowMs < countToMs) tokens += check.tokens() - before
      })
      finished += 1
      tokensRead += check.tokens()
      const found = fault ?? check.fault()
      if (found !== undefined) return void faults.push(found)
    }
  }
  await Promise.all(Array.from({ length: order.streams }, (_, index) => lane(index)))
  agent.destroy()
  firstTokensUs.sort((a, b) => a - b)
  return {
    finished,
    notWhole: faults.length,
    firstFault: faults[0] ?? '',
    tokensRead,
    tokensPerSecond: tokens / order.seconds,
    firstTokenP50Us: percentile(firstTokensUs, 50),
    firstTokenP99Us: percentile(firstTokensUs, 99),
  }
}

/** @returns what went wrong below the frames, or undefined */
function readStream(
  order: StreamOrder,
  agent: Agent,
  body: string,
  signal: AbortSignal,
  onText: (text: string) => void,
): Promise<string | undefined> {
  const { port, path, headers } = order
  return new Promise((resolve) => {
    const length = { 'content-length': Buffer.byteLength(body) }
    const call = request({
      host: '127.0.0.1',
      port,
      path,
      method: 'POST',
      agent,
      signal,
      headers: { ...headers, ...length },
    })
    call.on('error', (error) => resolve(error.message))
    call.on('response', (response) => {
      const { statusCode = 0 } = response
      response.setEncoding('utf8')
      response.on('data', statusCode === 200 ? onText : (text) => resolve(`status ${statusCode}: ${text}`))
      response.on('error', (error) => resolve(error.message))
      response.on('end', () => resolve(statusCode === 200 ? undefined : `status ${statusCode}`))
    })
    call.end(body)
  })
}

/** Checks one stream's text as it arrives. `fault` is asked at the end. */
export function createCheck(expectedTokens: number, dialect: DialectName = 'chat') {
  let rest = ''
  let tokens = 0
  let fault: string | undefined
  const seen = { finish: false, usage: false, done: false }

  function readFrame(text: string): void {
    const data = text.split('\n').find((line) => line.startsWith('data: '))
    if (data === undefined) return // a comment
    if (seen.done) fault ??= `frame after the last: ${text}`
    const said = DIALECTS[dialect].read(data.slice('data: '.length))
    const token = said.token ?? ''
    if (token !== '') {
      if (token !== `${tokens} `) fault ??= `token ${tokens} expected, "${token}" came`
      tokens += 1
    }
    seen.finish ||= said.hasEnded === true
    seen.usage ||= said.outputTokens === expectedTokens
    seen.done ||= said.isLast === true
  }

  return {
    tokens: () => tokens,
    push(text: string): void {
      const frames = (rest + text).split('\n\n')
      rest = frames.pop() ?? ''
      for (const text of frames) {
        try {
          readFrame(text)
        } catch (error) {
          fault ??= `${String(error)} in ${text.slice(0, 500)}`
        }
      }
    },
    /** @returns the first thing wrong with the whole stream, or undefined */
    fault(): string | undefined {
      if (fault !== undefined) return fault
      if (tokens !== expectedTokens) return `${tokens} of ${expectedTokens} tokens`
      const missing = Object.entries(seen).filter(([, value]) => !value)
      return missing.length === 0 ? undefined : `without ${missing.map(([name]) => name).join(', ')}`
    },
  }
}

if (import.meta.main) {
  const order: StreamOrder = JSON.parse(process.argv[2] ?? '')
  console.log(JSON.stringify(await runStreams(order)))
}
