// Files, batches and caches of Google's API by its official SDK, unmodified, through the data plane.
import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openObjectStore } from '../../store/sqlite/object-store.ts'
import type { Untyped } from '../clients/client.ts'
import { clientModule, HAS_CLIENTS, NEEDS_CLIENTS } from '../clients/installed.ts'
import { KEY, startDataPlane } from '../support/data-plane.ts'
import { ANSWER, startGoogleAccount } from '../support/google-account.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const place = temporaryDirectory()
const store = openObjectStore(place.file('objects.db'))
let account: Awaited<ReturnType<typeof startGoogleAccount>>
let gate: Awaited<ReturnType<typeof startDataPlane>>

beforeAll(async () => {
  account = await startGoogleAccount('key-of-google')
  gate = await startDataPlane(
    {
      upstreams: {
        google: { provider: 'google', base_url: account.url, api_key: 'key-of-google', models: ['gemini'] },
      },
    },
    { objects: store },
  )
})
afterAll(async () => {
  await gate?.stop()
  account?.close()
  store.close()
  place.remove()
})

/** In pieces of 8 MiB it comes in three. */
const BYTES = Buffer.alloc(17 * 2 ** 20, 'abcdefghij')

async function namesIn(pages: AsyncIterable<{ readonly name?: string }>): Promise<readonly (string | undefined)[]> {
  const names: (string | undefined)[] = []
  for await (const { name } of pages) names.push(name)
  return names
}

// `v1` is the version that the SDK takes by itself
describe.skipIf(!HAS_CLIENTS).each([{ apiVersion: undefined }, { apiVersion: 'v1beta' }])(
  `@google/genai with the version $apiVersion${NEEDS_CLIENTS}`,
  ({ apiVersion }) => {
    const sdk = async (apiKey = KEY): Promise<Untyped> => {
      const { GoogleGenAI } = await clientModule('@google/genai')
      return new GoogleGenAI({ apiKey, apiVersion, httpOptions: { baseUrl: gate.url } })
    }

    test('a file goes up in pieces, is asked about, listed, named by a request, downloaded and removed', async () => {
      const google = await sdk()
      const path = place.file('up.txt')
      await writeFile(path, BYTES)
      const file = await google.files.upload({ file: path, config: { mimeType: 'text/plain', displayName: 'up' } })
      expect(file).toMatchObject({ mimeType: 'text/plain', sizeBytes: String(BYTES.length), state: 'ACTIVE' })
      expect(account.seen.filter(({ url }) => url.searchParams.has('upload_id')).length).toBeGreaterThanOrEqual(3)
      expect(await google.files.get({ name: file.name })).toMatchObject({ name: file.name })
      expect(await namesIn(await google.files.list())).toEqual([file.name])
      const contents = [{ role: 'user', parts: [{ fileData: { fileUri: file.uri, mimeType: 'text/plain' } }] }]
      expect((await google.models.generateContent({ model: 'gemini', contents })).text).toBe('Hi.')
      const down = place.file('down.txt')
      await google.files.download({ file: file.name, downloadPath: down })
      const others = await sdk(gate.tokens.create('other', ['chat:read', 'chat:write'], null).token)
      await expect(others.files.get({ name: file.name })).rejects.toMatchObject({ status: 404 })
      expect(await namesIn(await others.files.list())).toEqual([])
      await google.files.delete({ name: file.name })
      await expect(google.files.get({ name: file.name })).rejects.toMatchObject({ status: 404 })
    })

    test('contents are cached, asked about, kept longer, listed, gone on from and removed', async () => {
      const google = await sdk()
      const contents = [{ role: 'user', parts: [{ text: 'a long book' }] }]
      const made = await google.caches.create({ model: 'gemini', config: { contents, ttl: '60s', displayName: 'b' } })
      expect(made).toMatchObject({ model: 'models/gemini', displayName: 'b' })
      expect(await google.caches.get({ name: made.name })).toMatchObject({ name: made.name })
      await google.caches.update({ name: made.name, config: { ttl: '600s' } })
      expect(account.seen.at(-1)).toMatchObject({ method: 'PATCH', body: Buffer.from('{"ttl":"600s"}') })
      expect(await namesIn(await google.caches.list())).toEqual([made.name])
      const config = { cachedContent: made.name }
      expect((await google.models.generateContent({ model: 'gemini', contents, config })).text).toBe('Hi.')
      expect(JSON.parse(String(account.seen.at(-1)?.body))).toMatchObject(config)
      const others = await sdk(gate.tokens.create('another', ['chat:read', 'chat:write'], null).token)
      await expect(others.caches.get({ name: made.name })).rejects.toMatchObject({ status: 404 })
      await expect(others.models.generateContent({ model: 'gemini', contents, config })).rejects.toMatchObject({
        status: 404,
      })
      expect(gate.rows.filter(({ requestId }) => requestId === `google ${made.name}`)).toMatchObject([
        { model: 'gemini', inputTokens: 4_000, outcome: 'ok' },
      ])
      await google.caches.delete({ name: made.name })
      expect(await namesIn(await google.caches.list())).toEqual([])
    })

    test('a batch is made of requests or of a file, asked about, listed, cancelled and removed', async () => {
      const google = await sdk()
      const contents = [{ role: 'user', parts: [{ text: 'Hi' }] }]
      const made = await google.batches.create({ model: 'gemini', src: [{ contents }], config: { displayName: 'b' } })
      expect(made).toMatchObject({ model: 'models/gemini', displayName: 'b', state: 'JOB_STATE_PENDING' })
      const src = new Blob([`{"key":"a","request":${JSON.stringify({ contents })}}\n`], { type: 'application/jsonl' })
      const file = await google.files.upload({ file: src, config: { mimeType: 'application/jsonl' } })
      const ofFile = await google.batches.create({ model: 'gemini', src: file.name })
      expect(await namesIn(await google.batches.list())).toEqual([ofFile.name, made.name])
      account.setBatch(made.name, {
        model: 'models/gemini',
        state: 'BATCH_STATE_SUCCEEDED',
        output: { inlinedResponses: { inlinedResponses: [{ response: ANSWER }] } },
      })
      const over = await google.batches.get({ name: made.name })
      expect(over).toMatchObject({ state: 'JOB_STATE_SUCCEEDED' })
      expect(over.dest.inlinedResponses[0].response).toMatchObject({ candidates: ANSWER.candidates })
      expect(gate.rows.filter(({ requestId }) => requestId === `google ${made.name}`)).toMatchObject([
        { model: 'gemini', inputTokens: 3, outputTokens: 2, outcome: 'ok' },
      ])
      await google.batches.cancel({ name: ofFile.name })
      await google.batches.delete({ name: ofFile.name })
      await google.batches.delete({ name: made.name })
      expect(await namesIn(await google.batches.list())).toEqual([])
      await google.files.delete({ name: file.name })
    })
  },
)
