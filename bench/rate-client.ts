// Constant-rate client: sends at fixed instants whatever the answers do (open loop), as its own process.
import { writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { z } from 'zod'
import { percentile } from './statistics.ts'

/** What one client process is told; requests go to 127.0.0.1. */
export type RateOrder = {
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly ratePerSecond: number
  readonly seconds: number
  /** Requests beyond this many in flight wait here, and their wait counts. */
  readonly connections: number
}

// JSON has no NaN; null stands for a figure without a single measurement.
const measured = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN)
/** What it prints: latencies in microseconds from the instant a request was due, so a stalled server cannot hide. */
export const rateResult = z.object({
  answered: z.number(),
  failed: z.number(),
  achievedPerSecond: z.number(),
  p50Us: measured,
  p99Us: measured,
})
export type RateResult = z.infer<typeof rateResult>

const SETTLE_SHARE = 0.2
const LATEST_ANSWER_MS = 5_000
// Longest nap between two looks at the clock. The kernel adds its timer slack, 50 us unless lowered: proc(5).
const NAP_MS = 0.02
const TIMER_SLACK_NS = '1000'

/** Sends `ratePerSecond` x `seconds` requests; the first fifth warms up and is not counted. */
export async function runRate(order: RateOrder): Promise<RateResult> {
  const total = Math.floor(order.ratePerSecond * order.seconds)
  const skipped = Math.floor(total * SETTLE_SHARE)
  const latenciesUs: number[] = []
  const waiting: { index: number; dueMs: number }[] = []
  const request = requestBytes(order)
  let answered = 0
  let failed = 0
  const idle: Lane[] = []
  const lanes = await Promise.all(
    Array.from({ length: order.connections }, () =>
      openLane(order.port, (lane, ok) => {
        if (!ok) failed += 1
        answered += 1
        if (lane.index >= skipped) latenciesUs.push((performance.now() - lane.dueMs) * 1_000)
        const next = waiting.shift()
        if (next === undefined) idle.push(lane)
        else send(lane, request, next.index, next.dueMs)
      }),
    ),
  )
  idle.push(...lanes)
  const startMs = performance.now()
  const intervalMs = 1_000 / order.ratePerSecond
  const giveUpMs = startMs + order.seconds * 1_000 + LATEST_ANSWER_MS
  writeFileSync('/proc/self/timerslack_ns', TIMER_SLACK_NS)
  const cell = new Int32Array(new SharedArrayBuffer(4))
  let sent = 0
  while (answered < total && performance.now() < giveUpMs) {
    const nowMs = performance.now()
    for (; sent < total && startMs + sent * intervalMs <= nowMs; sent += 1) {
      const lane = idle.pop()
      const dueMs = startMs + sent * intervalMs
      if (lane === undefined) waiting.push({ index: sent, dueMs })
      else send(lane, request, sent, dueMs)
    }
    // A nap of the whole thread: timers of the event loop are too coarse (1 ms), spinning would starve the mock.
    Atomics.wait(cell, 0, 0, NAP_MS)
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  for (const lane of lanes) lane.socket.destroy()
  latenciesUs.sort((a, b) => a - b)
  return {
    answered,
    failed: failed + (total - answered),
    achievedPerSecond: answered / ((performance.now() - startMs) / 1_000),
    p50Us: percentile(latenciesUs, 50),
    p99Us: percentile(latenciesUs, 99),
  }
}

type Lane = { readonly socket: Socket; index: number; dueMs: number; pending: string }

function openLane(port: number, onAnswer: (lane: Lane, ok: boolean) => void): Promise<Lane> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const lane: Lane = { socket, index: 0, dueMs: 0, pending: '' }
    socket.setEncoding('latin1')
    socket.on('connect', () => resolve(lane))
    socket.on('error', reject)
    socket.on('data', (text: string) => {
      lane.pending += text
      const ok = answerStatus(lane.pending)
      if (ok === undefined) return
      lane.pending = ''
      onAnswer(lane, ok === 200)
    })
  })
}

function send(lane: Lane, request: Buffer, index: number, dueMs: number): void {
  lane.index = index
  lane.dueMs = dueMs
  lane.socket.write(request)
}

function requestBytes({ path, headers, body, port }: RateOrder): Buffer {
  const lines = Object.entries({ host: `127.0.0.1:${port}`, 'content-length': Buffer.byteLength(body), ...headers })
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n${body}`)
}

/** @returns the status once the answer in `text` (latin1, one answer at a time) is complete, else undefined */
export function answerStatus(text: string): number | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const head = text.slice(0, end)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  const complete = length === undefined ? text.endsWith('\r\n0\r\n\r\n') : text.length >= end + 4 + Number(length)
  return complete ? Number(head.slice(9, 12)) : undefined
}

if (import.meta.main) {
  const order: RateOrder = JSON.parse(process.argv[2] ?? '')
  console.log(JSON.stringify(await runRate(order)))
}
