import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import fc from 'fast-check'
import { expect, onTestFinished, test, vi } from 'vitest'
import { LineReader, LineTooLongError } from '../../../wire/line-reader.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const never = new AbortController().signal

/** Two ends of a connection. */
async function pair(): Promise<{ near: Socket; far: Socket }> {
  const { path: folder, remove } = temporaryDirectory()
  const path = `${folder}/s`
  const server = createServer()
  server.listen(path)
  await once(server, 'listening')
  const far = connect({ path: server.address() as string })
  const [near] = (await once(server, 'connection')) as [Socket]
  onTestFinished(() => {
    for (const end of [near, far]) end.destroy()
    server.close()
    remove()
  })
  return { near, far }
}

test('lines arrive whole, however they were cut', async () => {
  const { near, far } = await pair()
  const reader = new LineReader(near, 1000)
  const lines = fc.array(
    fc.string({ maxLength: 40 }).map((text) => text.replaceAll('\n', ' ')),
    { maxLength: 150 },
  )
  await fc.assert(
    fc.asyncProperty(lines, fc.array(fc.nat(30), { maxLength: 20 }), async (sent, cuts) => {
      let rest = Buffer.from(sent.map((line) => `${line}\n`).join(''))
      for (const cut of cuts) {
        far.write(rest.subarray(0, cut))
        rest = rest.subarray(cut)
      }
      far.write(rest)
      for (const line of sent) expect(await reader.next(never)).toBe(line)
    }),
    { numRuns: 50 },
  )
})

test('a line that is too long is refused, and what came before is not lost', async () => {
  const { near, far } = await pair()
  const reader = new LineReader(near, 10)
  far.write(`0123456789\n${'x'.repeat(11)}\nlater\n`)
  expect(await reader.next(never)).toBe('0123456789')
  await expect(reader.next(never)).rejects.toThrow(LineTooLongError)
  await expect(reader.next(never)).rejects.toThrow('longer than 10 bytes')
})

test('a line without an end is refused before it fills the memory', async () => {
  const { near, far } = await pair()
  const reader = new LineReader(near, 10)
  far.write('x'.repeat(100_000))
  await expect(reader.next(never)).rejects.toThrow(LineTooLongError)
})

test('the end of the connection is noticed while nobody takes lines', async () => {
  const { near, far } = await pair()
  const reader = new LineReader(near, 10)
  far.end('a\nb')
  await vi.waitUntil(() => reader.ended.aborted, { timeout: 15_000 })
  expect(await reader.next(never)).toBe('a')
  expect(await reader.next(never)).toBeUndefined()
})

test('giving up loses no line', async () => {
  const { near, far } = await pair()
  const reader = new LineReader(near, 10)
  const patience = new AbortController()
  const first = reader.next(patience.signal)
  patience.abort()
  expect(await first).toBeUndefined()
  far.write('late\n')
  expect(await reader.next(never)).toBe('late')
})

test('a peer that sends more than anybody takes is held up', async () => {
  const { near, far } = await pair()
  const reader = new LineReader(near, 10)
  for (let i = 0; i < 200_000; i++) far.write(`${i}\n`)
  await vi.waitUntil(() => near.isPaused(), { timeout: 15_000 })
  expect(far.writableLength).toBeGreaterThan(100_000)
  for (let i = 0; i < 200_000; i++) expect(await reader.next(never)).toBe(String(i))
})
