// Streaming client: holds N streams open at once and checks the number in every frame, as its own process.
import { Agent, request } from 'node:http'
import { z } from 'zod'
import { percentile } from './statistics.ts'

/** What one client process is told; requests go to 127.0.0.1. */
export type StreamOrder = {
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Without max_tokens; must ask for a stream with usage. */
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
/** What it prints. A stream is whole when it has every token once and in order, a finish reason, usage and [DONE]. */
export const streamResult = z.object({
  finished: z.number(),
  notWhole: z.number(),
  firstFault: z.string(),
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
  const body = JSON.stringify({ ...order.body, max_tokens: order.tokens })
  const agent = new Agent({ keepAlive: true, maxSockets: order.streams })
  const countFromMs = performance.now() + order.streamMs
  const countToMs = countFromMs + order.seconds * 1_000
  const signal = AbortSignal.timeout(order.streamMs * 2 + order.seconds * 1_000 + LATEST_END_MS)
  const firstTokensUs: number[] = []
  const faults: string[] = []
  let finished = 0
  let tokens = 0

  async function lane(index: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, (order.streamMs * index) / order.streams))
    while (performance.now() < countToMs) {
      const startMs = performance.now()
      const check = createCheck(order.tokens)
      const fault = await readStream(order, agent, body, signal, (text) => {
        const nowMs = performance.now()
        const before = check.tokens()
        check.push(text)
        if (before === 0 && check.tokens() > 0 && startMs >= countFromMs) firstTokensUs.push((nowMs - startMs) * 1_000)
        if (nowMs >= countFromMs && nowMs < countToMs) tokens += check.tokens() - before
      })
      finished += 1
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
      if (response.statusCode !== 200) resolve(`status ${response.statusCode}`)
      response.setEncoding('utf8')
      response.on('data', onText)
      response.on('error', (error) => resolve(error.message))
      response.on('end', () => resolve(undefined))
    })
    call.end(body)
  })
}

const frame = z.object({
  choices: z.array(
    z.object({ delta: z.object({ content: z.string().optional() }), finish_reason: z.string().nullable() }),
  ),
  usage: z.object({ completion_tokens: z.number() }).nullish(),
})

/** Checks one stream's text as it arrives. `fault` is asked at the end. */
export function createCheck(expectedTokens: number) {
  let rest = ''
  let tokens = 0
  let fault: string | undefined
  const seen = { finish: false, usage: false, done: false }

  function readFrame(text: string): void {
    if (text.startsWith(':')) return
    if (seen.done) fault ??= `frame after [DONE]: ${text}`
    if (text === 'data: [DONE]') {
      seen.done = true
      return
    }
    const { choices, usage } = frame.parse(JSON.parse(text.slice('data: '.length)))
    const content = choices[0]?.delta.content ?? ''
    if (content !== '') {
      if (content !== `${tokens} `) fault ??= `token ${tokens} expected, "${content}" came`
      tokens += 1
    }
    seen.finish ||= choices[0]?.finish_reason === 'stop'
    seen.usage ||= usage?.completion_tokens === expectedTokens
  }

  return {
    tokens: () => tokens,
    push(text: string): void {
      const frames = (rest + text).split('\n\n')
      rest = frames.pop() ?? ''
      for (const text of frames) readFrame(text)
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
