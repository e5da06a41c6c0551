import type { ServerResponse } from 'node:http'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chatBody } from '../../../support/chat.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import {
  completion,
  DONE,
  type FakeUpstream,
  frame,
  STREAM_HEADERS,
  sendJson,
  startFakeUpstream,
} from '../../../support/fake-upstream.ts'

const CANARY = 'sk-canary/7+Qz"0123456789\\end'

const SPELLINGS = {
  plain: CANARY,
  json: JSON.stringify(CANARY).slice(1, -1),
  percent: encodeURIComponent(CANARY),
  base64: Buffer.from(`Bearer ${CANARY}`).toString('base64'),
}

let upstream: FakeUpstream
let plane: Awaited<ReturnType<typeof startDataPlane>>
let behave: (response: ServerResponse) => void
beforeAll(async () => {
  upstream = await startFakeUpstream((_, response) => behave(response))
  plane = await startDataPlane({
    upstreams: { mock: { provider: 'custom', base_url: upstream.url, api_key: CANARY, models: ['m', 'n'] } },
  })
})
afterAll(async () => {
  await plane.stop()
  await upstream.close()
})

type Path = {
  readonly name: string
  readonly stream: boolean
  readonly answer: (response: ServerResponse, says: string) => void
}

/** Writes a text in pieces that cut everything in it. */
function inPieces(response: ServerResponse, text: string): void {
  for (let at = 0; at < text.length; at += 7) response.write(text.slice(at, at + 7))
  response.end()
}

const PATHS: readonly Path[] = [
  ...[400, 401, 404, 413, 422, 429, 500, 503].map((status) => ({
    name: `JSON with status ${status}`,
    stream: false,
    answer: (response: ServerResponse, says: string) => sendJson(response, status, { error: { message: says } }),
  })),
  {
    name: 'text with status 400',
    stream: false,
    answer: (r, says) => void r.writeHead(400, { 'content-type': 'text/plain' }).end(says),
  },
  {
    name: 'problem+json',
    stream: false,
    answer: (r, says) => sendJson(r, 422, { detail: says }, { 'content-type': 'application/problem+json' }),
  },
  { name: 'an error in a success', stream: false, answer: (r, says) => sendJson(r, 200, { error: { message: says } }) },
  { name: 'a whole answer', stream: false, answer: (r, says) => sendJson(r, 200, completion(says)) },
  {
    name: 'an answer that breaks off',
    stream: false,
    answer: (r, says) => {
      r.writeHead(200, { 'content-length': 999 })
      r.write(says, () => r.destroy())
    },
  },
  {
    name: 'a header',
    stream: false,
    answer: (r, says) => sendJson(r, 200, completion(''), { 'x-debug': says }),
  },
  {
    name: 'an error frame at the start',
    stream: true,
    answer: (r, says) =>
      void r.writeHead(200, STREAM_HEADERS).end(`data: ${JSON.stringify({ error: { message: says } })}\n\n`),
  },
  {
    name: 'an error frame after content',
    stream: true,
    answer: (r, says) =>
      void r
        .writeHead(200, STREAM_HEADERS)
        .end(`${frame({ content: 'a' })}event: error\ndata: ${JSON.stringify({ message: says })}\n\n`),
  },
  {
    name: 'an error frame in pieces',
    stream: true,
    answer: (r, says) => {
      r.writeHead(200, STREAM_HEADERS)
      inPieces(r, `${frame({ content: 'a' })}data: ${JSON.stringify({ error: { message: says } })}\n\n`)
    },
  },
  {
    name: 'content of a stream',
    stream: true,
    answer: (r, says) => {
      r.writeHead(200, STREAM_HEADERS)
      inPieces(r, frame({ content: says }) + frame({}, 'stop') + DONE)
    },
  },
  {
    name: 'a comment in a stream',
    stream: true,
    answer: (r, says) =>
      void r.writeHead(200, STREAM_HEADERS).end(`: ${says}\n\n${frame({ content: 'a' })}${frame({}, 'stop')}${DONE}`),
  },
  {
    name: 'a stream without its end',
    stream: true,
    answer: (r, says) => void r.writeHead(200, STREAM_HEADERS).end(`${frame({ content: 'a' })}data: ${says}`),
  },
  {
    name: 'gzip',
    stream: false,
    answer: (r, says) =>
      void r
        .writeHead(500, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        .end(gzipSync(JSON.stringify({ error: says }))),
  },
  {
    name: 'zstd',
    stream: true,
    answer: (r, says) =>
      void r
        .writeHead(200, { ...STREAM_HEADERS, 'content-encoding': 'zstd' })
        .end(zstdCompressSync(frame({ content: says }) + frame({}, 'stop') + DONE)),
  },
]

const rows = PATHS.flatMap((path) => Object.entries(SPELLINGS).map(([spelling, says]) => ({ ...path, spelling, says })))

test.each(rows)(
  "A3: an upstream's key that comes back as $spelling in $name goes no further",
  async ({ stream, answer, says }) => {
    behave = (response) => answer(response, says)
    plane.lines.length = 0
    const response = await fetch(`${plane.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: chatBody('x', { model: 'm', stream }),
    })
    let text = ''
    try {
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString()
    } catch {} // cut off
    const seen = [text, JSON.stringify([...response.headers]), JSON.stringify(plane.lines), unescaped(text)].join('\n')
    for (const spelled of [...Object.values(SPELLINGS), Buffer.from(CANARY).toString('base64').slice(0, 24)])
      expect(seen).not.toContain(spelled)
    expect(seen).not.toContain('0123456789')
    expect(response.headers.get('content-encoding')).toBe(null)
  },
)

function unescaped(text: string): string {
  return text.replaceAll('\\"', '"').replaceAll('\\\\', '\\')
}

test.each([
  { name: 'gzip', encoding: 'gzip', pack: gzipSync },
  { name: 'zstd', encoding: 'ZSTD', pack: zstdCompressSync },
  { name: 'deflate', encoding: 'deflate', pack: deflateSync },
  { name: 'deflate without zlib around it', encoding: 'deflate', pack: deflateRawSync },
  { name: 'Brotli', encoding: 'br', pack: brotliCompressSync },
  { name: 'what is called by the old name', encoding: 'x-gzip', pack: gzipSync },
  { name: 'what is called Identity', encoding: 'Identity', pack: (text: string) => Buffer.from(text) },
  { name: 'what is called nothing', encoding: '', pack: (text: string) => Buffer.from(text) },
  {
    name: 'what is packed twice',
    encoding: 'gzip, gzip',
    pack: (text: string) => gzipSync(gzipSync(text)),
    isRefused: true,
  },
  {
    name: 'what is said to be packed and is not',
    encoding: 'gzip',
    pack: (text: string) => Buffer.from(text),
    isRefused: true,
  },
  {
    name: 'an encoding that is unknown',
    encoding: 'compress',
    pack: (text: string) => Buffer.from(text),
    isRefused: true,
  },
])(
  'B9: an answer is asked for as it is, and $name is unpacked or refused',
  async ({ encoding, pack, isRefused = false }) => {
    behave = (response) => {
      const packed = pack(JSON.stringify(completion('unpacked')))
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding }).end(packed)
    }
    plane.rows.length = 0
    const response = await fetch(`${plane.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'accept-encoding': 'gzip' },
      body: chatBody('x', { model: 'm' }),
    })
    const text = await response.text()
    expect(upstream.seen.at(-1)?.headers['accept-encoding']).toBe('identity')
    if (!isRefused) {
      expect(JSON.parse(text)).toEqual(completion('unpacked'))
      expect(plane.rows).toMatchObject([{ outcome: 'ok', inputTokens: 7, estimated: false }])
    } else expect([response.status, text]).toEqual([502, expect.stringContaining('cannot be unpacked')])
  },
)
