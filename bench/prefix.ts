import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { prepareLlama, startLlama } from '../test/engine/llama-server.ts'
import { agentTurn } from './agent-request.ts'
import { DIALECTS } from './dialects.ts'
import { KEY, startMock, startServer } from './servers.ts'
import { median } from './statistics.ts'
import { count, markdownTable, ms } from './table.ts'

const TURNS = 8
const CONTEXT_TOKENS = 48_000
const ANSWER_TOKENS = 16
const MODEL = 'tiny'

/** How the engine is asked. `provider`: as what Gate knows it; null: it is asked directly. */
type Way = { readonly name: string; readonly provider: string | null; readonly hasLine: boolean }

const WAYS: readonly Way[] = [
  { name: 'directly, with the line', provider: null, hasLine: true },
  { name: 'directly, without the line', provider: null, hasLine: false },
  { name: 'through Gate, which keeps the line (provider anthropic)', provider: 'anthropic', hasLine: true },
  { name: 'through Gate, which drops the line (provider llama-cpp)', provider: 'llama-cpp', hasLine: true },
]

/** What one turn cost. `reusedTokens` of the prompt came from the engine's cache. */
type Turn = { readonly promptTokens: number; readonly reusedTokens: number; readonly firstTokenMs: number }

export type PrefixReport = {
  readonly date: string
  readonly loadAverage: number
  readonly ways: readonly { readonly name: string; readonly turns: readonly Turn[] }[]
}

/**
 * Plays a conversation as Claude Code sends it, with the line in front of its instructions that differs each time, on a
 * real llama.cpp, and counts what the engine reuses of each prompt.
 * @throws Error when there is no engine
 */
export async function benchPrefix(signal: AbortSignal): Promise<PrefixReport> {
  const llama = prepareLlama()
  if (llama.kind === 'unavailable') throw new Error(`no llama.cpp: ${llama.reason}`)
  const directory = mkdtempSync(join(tmpdir(), 'gate-bench-'))
  try {
    await using started = new AsyncDisposableStack()
    const mock = started.use(await startMock('streams', directory))
    const ways: PrefixReport['ways'][number][] = []
    for (const way of WAYS) {
      console.error(`bench: ${way.name}`)
      await using engine = await startEngine(llama.root, directory)
      const environment = {
        GATE_UPSTREAMS__ENGINE__PROVIDER: way.provider ?? 'llama-cpp',
        GATE_UPSTREAMS__ENGINE__BASE_URL: `${engine.url}/v1`,
        GATE_UPSTREAMS__ENGINE__MODELS: JSON.stringify([MODEL]),
      }
      await using gate = await startServer('gate', 'streams', mock, directory, environment)
      const url = way.provider === null ? engine.url : `http://127.0.0.1:${gate.target.port}`
      const turns: Turn[] = []
      for (let turn = 0; turn < TURNS; turn += 1) {
        turns.push(
          await ask(`${url}${DIALECTS.messages.path}`, agentTurn(MODEL, turn, way.hasLine, ANSWER_TOKENS), signal),
        )
      }
      ways.push({ name: way.name, turns })
    }
    return { date: new Date().toISOString().slice(0, 10), loadAverage: loadavg()[0] ?? 0, ways }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** One of its own for each way, so that its cache is empty. */
async function startEngine(root: string, directory: string) {
  const engine = await startLlama(root, mkdtempSync(join(directory, 'engine-')), CONTEXT_TOKENS)
  return { url: engine.url, [Symbol.asyncDispose]: () => engine.stop() }
}

const usage = z.object({ input_tokens: z.number().default(0), cache_read_input_tokens: z.number().default(0) })
const event = z.object({
  type: z.string(),
  message: z.object({ usage: usage.optional() }).optional(),
  usage: usage.optional(),
})

async function ask(url: string, body: object, signal: AbortSignal): Promise<Turn> {
  const startedMs = performance.now()
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', authorization: `Bearer ${KEY}` },
    body: JSON.stringify(body),
    signal,
  })
  if (response.status !== 200 || response.body === null) {
    throw new Error(`${url} answered ${response.status}: ${(await response.text()).slice(0, 1_000)}`)
  }
  let text = ''
  let firstTokenMs = Number.NaN
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece
    if (Number.isNaN(firstTokenMs) && text.includes('content_block_delta')) firstTokenMs = performance.now() - startedMs
  }
  const reports = [...text.matchAll(/^data: (.*)$/gm)].flatMap(([, data = '']) => {
    const { message, usage: own } = event.parse(JSON.parse(data))
    return [message?.usage, own].filter((one) => one !== undefined)
  })
  // what comes last is exact; at the beginning it may be an estimate
  const last = reports.findLast((one) => one.input_tokens + one.cache_read_input_tokens > 0)
  const reusedTokens = last?.cache_read_input_tokens ?? 0
  return { promptTokens: (last?.input_tokens ?? 0) + reusedTokens, reusedTokens, firstTokenMs }
}

/** The report as Markdown: the first turn finds an empty cache and is not counted. */
export function prefixText({ date, loadAverage, ways }: PrefixReport): string {
  const rows = ways.map(({ name, turns }) => {
    const later = turns.slice(1)
    const sum = (of: (turn: Turn) => number) => later.reduce((total, turn) => total + of(turn), 0)
    const [prompt, reused] = [sum((turn) => turn.promptTokens), sum((turn) => turn.reusedTokens)]
    return [
      name,
      count(prompt),
      count(reused),
      count((reused * 100) / prompt, 1),
      ms((turns[0]?.firstTokenMs ?? Number.NaN) * 1_000),
      ms(median(later.map(({ firstTokenMs }) => firstTokenMs)) * 1_000),
    ]
  })
  const head = [
    `turns 2 to ${TURNS} on llama.cpp`,
    'prompt tokens',
    'reused tokens',
    'reused %',
    'first token of turn 1, ms',
    'of the others, median ms',
  ]
  return `${markdownTable([head, ...rows])}\n\n${date}, load average ${loadAverage.toFixed(1)}.`
}
