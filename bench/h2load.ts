import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runClient } from './children.ts'
import type { Target } from './servers.ts'

/** What h2load found: closed loop. */
export type H2LoadResult = {
  readonly requestsPerSecond: number
  readonly requests: number
  /** Requests that failed, and answers that were not 2xx. */
  readonly failed: number
}

const CONNECTIONS = 8
const STREAMS = 8
const LATE_MS = 20_000

/** Runs h2load with one thread, and as many requests at a time as wrk has connections. @throws Error when its output cannot be read */
export async function runH2Load(
  target: Target,
  seconds: number,
  directory: string,
  signal: AbortSignal,
): Promise<H2LoadResult> {
  const body = join(directory, 'h2load.json')
  writeFileSync(body, target.body)
  const headers = Object.entries(target.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const load = ['-t1', `-c${CONNECTIONS}`, `-m${STREAMS}`, `-D${seconds}`, '--npn-list=h2', '-d', body]
  const url = `https://127.0.0.1:${target.port}${target.path}`
  return parseH2Load(
    await runClient(['h2load', ...load, ...headers, url], { lateMs: seconds * 1_000 + LATE_MS, signal }),
  )
}

/** Reads what h2load prints. @throws Error when a figure is missing */
export function parseH2Load(output: string): H2LoadResult {
  const find = (pattern: RegExp) => {
    const found = pattern.exec(output)?.[1]
    if (found === undefined) throw new Error(`h2load printed no ${pattern.source}:\n${output}`)
    return Number(found)
  }
  const others = ['3xx', '4xx', '5xx'].map((kind) => find(new RegExp(`status codes: .* (\\d+) ${kind}`)))
  return {
    requestsPerSecond: find(/finished in [^,]+, ([\d.]+) req\/s/),
    requests: find(/requests: .* (\d+) done,/),
    failed: others.reduce((sum, number) => sum + number, find(/(\d+) failed, /)),
  }
}
