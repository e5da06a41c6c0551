import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runClient } from './children.ts'
import type { Target } from './servers.ts'

/** What wrk found: closed loop, so its latencies at full load say how long the queue is, not how fast the server is. */
export type WrkResult = {
  readonly requestsPerSecond: number
  readonly requests: number
  readonly p50Us: number
  readonly p99Us: number
  /** Answers that were not 2xx or 3xx, plus socket errors. */
  readonly failed: number
}

export const CONNECTIONS = 64
const LATE_MS = 10_000

/** Runs wrk with one thread and 64 connections. @throws Error when its output cannot be read */
export async function runWrk(
  target: Target,
  seconds: number,
  directory: string,
  signal: AbortSignal,
  scheme: 'http' | 'https' = 'http',
): Promise<WrkResult> {
  const script = join(directory, 'post.lua')
  const headers = Object.entries(target.headers).map(([name, value]) => `wrk.headers[${lua(name)}] = ${lua(value)}\n`)
  writeFileSync(script, `wrk.method = "POST"\n${headers.join('')}wrk.body = ${lua(target.body)}\n`)
  const url = `${scheme}://127.0.0.1:${target.port}${target.path}`
  const argv = wrkArgv(seconds, script, url)
  return parseWrk(await runClient(argv, { lateMs: seconds * 1_000 + LATE_MS, signal }))
}

/**
 * wrk waits 2 s for an answer unless it is told otherwise, and counts the ones that take longer as errors, although
 * they come: a server that had to wait for its core that long seemed to lose a request on each connection.
 */
export function wrkArgv(seconds: number, script: string, url: string): readonly string[] {
  const timeout = `${Math.ceil(seconds + LATE_MS / 1_000)}s`
  return ['wrk', '--latency', '-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--timeout', timeout, '-s', script, url]
}

/** A JSON string of printable ASCII is a Lua string as well. */
const lua = (text: string) => JSON.stringify(text)

/** Reads what `wrk --latency` prints. @throws Error when a figure is missing */
export function parseWrk(output: string): WrkResult {
  const find = (pattern: RegExp) => {
    const found = pattern.exec(output)?.[1]
    if (found === undefined) throw new Error(`wrk printed no ${pattern.source}:\n${output}`)
    return found
  }
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output) ?? []
  return {
    requestsPerSecond: Number(find(/Requests\/sec:\s+([\d.]+)/)),
    requests: Number(find(/(\d+) requests in/)),
    p50Us: microseconds(find(/\n\s+50%\s+(\S+)/)),
    p99Us: microseconds(find(/\n\s+99%\s+(\S+)/)),
    failed: [/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1], ...socketErrors.slice(1)].reduce(
      (sum, count) => sum + Number(count ?? 0),
      0,
    ),
  }
}

const UNITS_US: Readonly<Record<string, number>> = { us: 1, ms: 1e3, s: 1e6, m: 6e7, h: 3.6e9 }

function microseconds(text: string): number {
  const [, value, unit = ''] = /^([\d.]+)([a-z]+)$/.exec(text) ?? []
  const scale = UNITS_US[unit]
  if (value === undefined || scale === undefined) throw new Error(`wrk printed a time of unknown form: ${text}`)
  return Number(value) * scale
}
