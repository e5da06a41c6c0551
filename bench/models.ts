import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './children.ts'
import { KEY, type Running, startMock, startPeer, startServer } from './servers.ts'
import { percentile } from './statistics.ts'
import { count, markdownTable } from './table.ts'

/** Besides those that Gate knows the models of: so many of each kind that have to be asked for them. */
const DOWN_OF_KIND = 10
const REQUESTS = 300

const SHAPES: readonly { readonly name: string; readonly headers: Readonly<Record<string, string>> }[] = [
  { name: "OpenAI's shape", headers: { authorization: `Bearer ${KEY}` } },
  { name: "Anthropic's shape", headers: { 'x-api-key': KEY, 'anthropic-version': '2023-06-01' } },
]

/** How long the list of models took, in milliseconds, ascending. */
export type ModelsReport = {
  readonly date: string
  readonly loadAverage: number
  readonly rows: readonly { readonly name: string; readonly ms: readonly number[]; readonly failed: number }[]
}

/**
 * Asks for the list of models while no upstream answers: the mock has stopped, others refuse every connection, and others
 * take it and say nothing.
 */
export async function benchModels(signal: AbortSignal): Promise<ModelsReport> {
  const directory = mkdtempSync(join(tmpdir(), 'gate-bench-'))
  try {
    await using started = new AsyncDisposableStack()
    const mock = started.use(await startMock('answers', directory))
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    started.defer(() => void silent.close())
    const address = silent.address()
    const silentPort = address !== null && typeof address === 'object' ? address.port : 0
    const gate = started.use(
      await startServer('gate', 'answers', mock, directory, downUpstreams(await freePort(), silentPort)),
    )
    const litellm = await startPeer('litellm', 'answers', mock, directory)
    if (litellm !== null) started.use(litellm)
    await mock[Symbol.asyncDispose]()
    const rows: ModelsReport['rows'][number][] = []
    for (const { name, headers } of SHAPES)
      rows.push({ name: `gate, ${name}`, ...(await asked(gate, headers, signal)) })
    const [{ name, headers } = { name: '', headers: {} }] = SHAPES
    if (litellm !== null) rows.push({ name: `litellm, ${name}`, ...(await asked(litellm, headers, signal)) })
    return { date: new Date().toISOString().slice(0, 10), loadAverage: loadavg()[0] ?? 0, rows }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Upstreams whose models nobody has written down. */
function downUpstreams(refusing: number, silent: number): Readonly<Record<string, string>> {
  const all: Record<string, string> = {}
  for (let n = 0; n < 2 * DOWN_OF_KIND; n += 1) {
    all[`GATE_UPSTREAMS__DOWN${n}__PROVIDER`] = 'custom'
    all[`GATE_UPSTREAMS__DOWN${n}__BASE_URL`] = `http://127.0.0.1:${n < DOWN_OF_KIND ? refusing : silent}/v1`
  }
  return all
}

/** One request after the other. */
async function asked(
  { target }: Running,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<{ readonly ms: readonly number[]; readonly failed: number }> {
  const ms: number[] = []
  let failed = 0
  for (let n = 0; n < REQUESTS; n += 1) {
    const sentAt = performance.now()
    const response = await fetch(`http://127.0.0.1:${target.port}/v1/models`, { headers, signal })
    const { data } = (await response.json()) as { readonly data?: readonly unknown[] }
    ms.push(performance.now() - sentAt)
    if (response.status !== 200 || data === undefined || data.length === 0) failed += 1
  }
  return { ms: ms.sort((a, b) => a - b), failed }
}

export function modelsText({ date, loadAverage, rows }: ModelsReport): string {
  const head = ['GET /v1/models, no upstream answers', 'median ms', 'p99 ms', 'longest ms', 'failed']
  const body = rows.map(({ name, ms, failed }) => [
    name,
    ...[50, 99, 100].map((rank) => percentile(ms, rank).toFixed(1)),
    count(failed),
  ])
  return `${markdownTable([head, ...body])}\n\n${date}, ${REQUESTS} requests each, one after the other, load average ${loadAverage.toFixed(1)}`
}
