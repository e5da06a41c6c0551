import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import type { UsageRow } from '../../../../daemon/meter/usage.ts'
import { chatBody } from '../../../support/chat.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { startFakeUpstream } from '../../../support/fake-upstream.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const MIB = 2 ** 20
const START = 'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}\n\n'
const brotli = (bytes: Buffer) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })
/** Members of gzip, and frames of zstd, follow one another; each of these unpacks to 16 MiB. */
const MEMBER = Buffer.alloc(16 * MIB, 'x')

type Bomb = { name: string; coding: string; status: number; type: string; start: Buffer; member: Buffer; most: number }
const BOMBS: Bomb[] = [
  {
    name: 'a whole answer',
    coding: 'gzip',
    status: 200,
    type: 'application/json',
    start: gzipSync('{"a":"'),
    member: gzipSync(MEMBER),
    most: 32 * MIB,
  },
  {
    name: 'a stream',
    coding: 'gzip',
    status: 200,
    type: 'text/event-stream',
    start: gzipSync(START),
    member: gzipSync(MEMBER),
    most: 32 * MIB,
  },
  {
    name: 'a stream',
    coding: 'zstd',
    status: 200,
    type: 'text/event-stream',
    start: zstdCompressSync(START),
    member: zstdCompressSync(MEMBER),
    most: 32 * MIB,
  },
  {
    name: 'an error',
    coding: 'zstd',
    status: 500,
    type: 'application/json',
    start: Buffer.alloc(0),
    member: zstdCompressSync(MEMBER),
    most: MIB,
  },
  {
    name: 'a whole answer',
    coding: 'br',
    status: 200,
    type: 'application/json',
    start: Buffer.alloc(0),
    member: brotli(Buffer.alloc(48 * MIB, 'x')),
    most: 32 * MIB,
  },
]

test.each(BOMBS)('B9: $name in $coding that unpacks to gigabytes is given up after 32 MiB', async (bomb) => {
  const upstream = await startFakeUpstream((_, response) => {
    response.writeHead(bomb.status, { 'content-type': bomb.type, 'content-encoding': bomb.coding })
    response.on('error', () => {})
    response.write(bomb.start)
    const more = () => {
      while (!response.destroyed) if (!response.write(bomb.member)) return void response.once('drain', more)
    }
    if (bomb.coding === 'br') response.end(bomb.member)
    else more()
  })
  const rows: UsageRow[] = []
  const ledger = { settle: async (row: UsageRow) => void rows.push(row), refusal: () => null }
  const plane = await startDataPlane(
    { upstreams: { mock: { provider: 'custom', base_url: upstream.url, models: ['mock'] } } },
    { parts: { ledger } },
  )
  closing.push(upstream.close, plane.stop)
  const response = await fetch(`${plane.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: chatBody('x', { model: 'mock', stream: bomb.type === 'text/event-stream' }),
  })
  let bytes = 0
  let hasEnded = false
  try {
    for await (const chunk of response.body ?? []) bytes += (chunk as Uint8Array).length
    hasEnded = true
  } catch {
    // it was cut: an end would say that it was whole
  }
  expect(bytes).toBeLessThanOrEqual(bomb.most)
  if (bomb.status === 200) expect([hasEnded, rows.map(({ outcome }) => outcome)]).toEqual([false, ['truncated']])
  else expect([response.status, rows.map(({ outcome }) => outcome)]).toEqual([502, ['refused']])
})
