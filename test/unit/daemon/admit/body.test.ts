import { EventEmitter } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAdmission } from '../../../../daemon/admit/admission.ts'
import { chatBody } from '../../../support/chat.ts'
import { until } from '../../../support/daemon.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'

const MAX_BODY = 2 ** 20
const MAX_BUFFERED = 8 * MAX_BODY
const admission = createAdmission({ maxConcurrent: 100, maxBodyBytes: MAX_BODY, maxBufferedBytes: MAX_BUFFERED })

let plane: Awaited<ReturnType<typeof startDataPlane>>
beforeAll(async () => {
  plane = await startDataPlane({}, { parts: { admission } })
})
afterAll(() => plane.stop())

type Answer = { readonly status: number; readonly body: string; readonly headers: Record<string, unknown> }

/** Sends a body in pieces, each after the one before is on its way. */
function send(pieces: readonly Buffer[], encoding: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'content-encoding': encoding }
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${plane.url}/v1/chat/completions`,
      { method: 'POST', headers, agent: false },
      (response) => {
        const { statusCode = 0 } = response
        text(response).then((body) => resolve({ status: statusCode, body, headers: response.headers }), reject)
      },
    )
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') reject(error)
    })
    for (const piece of pieces) outgoing.write(piece)
    outgoing.end()
  })
}

const PACKERS = { gzip: gzipSync, 'x-gzip': gzipSync, deflate: deflateSync, br: quickBrotli, zstd: zstdCompressSync }
const codings = Object.keys(PACKERS) as (keyof typeof PACKERS)[]

function quickBrotli(body: Buffer): Buffer {
  return brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 3 } })
}

test.each([...codings, 'GZIP', ' zstd '])('B9: a body in %s is unpacked', async (name) => {
  const coding = name.trim().toLowerCase() as keyof typeof PACKERS
  const answer = await send([PACKERS[coding](Buffer.from(chatBody('packed well')))], name)
  expect(answer.status).toBe(200)
  expect(answer.body).toContain('packed well')
  expect(admission.bufferedBytes()).toBe(0)
})

test('B9: wherever it is cut, and whatever is in it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...codings),
      fc.string({ unit: 'grapheme', minLength: 1 }),
      fc.array(fc.nat(400), { maxLength: 4 }),
      async (coding, said, cuts) => {
        const content = `x${said}`
        const packed = PACKERS[coding](Buffer.from(chatBody(content)))
        const places = [0, ...cuts.map((at) => Math.min(at, packed.length)).toSorted((a, b) => a - b), packed.length]
        const pieces = places.slice(1).map((end, i) => packed.subarray(places[i], end))
        const answer = await send(
          pieces.filter(({ length }) => length > 0),
          coding,
        )
        expect(JSON.parse(answer.body).choices[0].message.content).toBe(content)
      },
    ),
    { numRuns: 40 },
  )
})

test.each(codings)('B9: a bomb in %s is refused at the bound, and holds nothing', async (coding) => {
  const bomb = PACKERS[coding](Buffer.alloc(64 * MAX_BODY, ' '))
  expect(bomb.length).toBeLessThan(MAX_BODY)
  let most = 0
  const looks = setInterval(() => {
    most = Math.max(most, admission.bufferedBytes())
  }, 1)
  const answer = await send([bomb], coding)
  clearInterval(looks)
  expect(answer.status).toBe(413)
  expect(answer.body).toContain('server.max_body')
  expect(most).toBeLessThan(3 * MAX_BODY)
  await until(() => admission.bufferedBytes() === 0)
})

test.each(codings)('B9: %s that is broken or ends early is a 400', async (coding) => {
  const packed = PACKERS[coding](Buffer.from(chatBody('x'.repeat(500))))
  for (const broken of [packed.subarray(0, -3), Buffer.from('no such thing at all'), Buffer.alloc(0)]) {
    const answer = await send([broken], coding)
    expect([answer.status, JSON.parse(answer.body).error.type]).toEqual([400, 'invalid_request_error'])
  }
  await until(() => admission.bufferedBytes() === 0)
})

test.each(['compress', 'gzip, gzip', 'zstd,gzip', 'gzip;q=1', 'identity, gzip', 'constructor'])(
  'B9: %s is a 415 that says what is taken',
  async (encoding) => {
    const answer = await send([Buffer.from(chatBody('x'))], encoding)
    expect([answer.status, answer.headers['accept-encoding']]).toEqual([415, 'gzip, deflate, br, zstd'])
  },
)

test('B9: identity is no coding', async () => {
  expect((await send([Buffer.from(chatBody('plain'))], 'identity')).status).toBe(200)
})

test('B9: zstd that asks its reader to remember more than 8 MiB is a 400', async () => {
  const params = { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_enableLongDistanceMatching]: 1 }
  const packed = zstdCompressSync(Buffer.alloc(40 * MAX_BODY), { params })
  expect((await send([packed], 'zstd')).status).toBe(400)
})

test('A4: a body of many small pieces is counted with what each of them costs', async () => {
  const slot = admission.admit()
  const pieces = 60_000 // of one byte, each an object of its own
  const incoming = Object.assign(new EventEmitter(), {
    headers: {},
    complete: false,
    pause: () => {},
    resume: () => {},
  })
  const body = slot.readBody(incoming as never)
  const outcome = body.then(
    () => null,
    (error: unknown) => error,
  )
  for (let i = 0; i < pieces; i += 1) incoming.emit('data', Buffer.from('x'))
  expect(await outcome).toMatchObject({ code: 'TOO_MANY_REQUESTS' })
  slot.release()
  expect(admission.bufferedBytes()).toBe(0)
})
