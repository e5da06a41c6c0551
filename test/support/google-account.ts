import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

type Seen = {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}
type Upload = { readonly file: Record<string, unknown>; bytes: Buffer }

/** What a piece of an upload is refused over. */
class Refused extends Error {}

/**
 * An account at Google as its documentation has it: files by resumable uploads, batches, caches, lists of pages of two.
 * It takes an upload only with the headers of the protocol, and pieces in their order.
 * @see https://ai.google.dev/gemini-api/docs/files
 */
export async function startGoogleAccount(key: string) {
  const files = new Map<string, { readonly file: Record<string, unknown>; readonly bytes: Buffer }>()
  const batches = new Map<string, Record<string, unknown>>()
  const caches = new Map<string, Record<string, unknown>>()
  const uploads = new Map<string, Upload>()
  const seen: Seen[] = []
  let made = 0

  function begin({ headers, body }: Seen, response: ServerResponse): void {
    if (headers['x-goog-upload-protocol'] !== 'resumable' || headers['x-goog-upload-command'] !== 'start')
      throw new Refused('no resumable upload')
    if (Number.isNaN(Number(headers['x-goog-upload-header-content-length']))) throw new Refused('no length')
    const id = randomUUID()
    uploads.set(id, { file: JSON.parse(body.toString()).file, bytes: Buffer.alloc(0) })
    const place = `https://uploads.google.test/upload/v1beta/files?upload_id=${id}&upload_protocol=resumable`
    response.writeHead(200, { 'x-goog-upload-status': 'active', 'x-goog-upload-url': place }).end()
  }

  function takePiece({ url, headers, body }: Seen, response: ServerResponse): void {
    const id = url.searchParams.get('upload_id') ?? ''
    const upload = uploads.get(id)
    if (upload === undefined) throw new Refused('no such upload')
    if (Number(headers['x-goog-upload-offset']) !== upload.bytes.length) throw new Refused('a piece is missing')
    upload.bytes = Buffer.concat([upload.bytes, body])
    if (!String(headers['x-goog-upload-command']).includes('finalize'))
      return void response.writeHead(200, { 'x-goog-upload-status': 'active' }).end()
    uploads.delete(id)
    const name = String(upload.file['name'] ?? `files/made-${++made}`)
    const uri = `https://generativelanguage.googleapis.com/v1beta/${name}`
    const file = { ...upload.file, name, uri, sizeBytes: String(upload.bytes.length), state: 'ACTIVE' }
    files.set(name, { file, bytes: upload.bytes })
    response.setHeader('x-goog-upload-status', 'final')
    json(response, { file })
  }

  function createBatch({ url, body }: Seen, response: ServerResponse): void {
    const [, model = ''] = /models\/(.+):batch/.exec(url.pathname) ?? []
    const { batch } = JSON.parse(body.toString())
    const name = `batches/${++made}`
    const metadata = { model: `models/${model}`, displayName: batch.displayName, state: 'BATCH_STATE_PENDING' }
    batches.set(name, { name, metadata })
    json(response, batches.get(name) ?? {})
  }

  /** @see https://ai.google.dev/api/caching */
  function createCache({ body }: Seen, response: ServerResponse): void {
    const { model, contents, ttl, displayName } = JSON.parse(body.toString())
    if (!String(model).startsWith('models/') || !Array.isArray(contents)) throw new Refused('no model, or no contents')
    const name = `cachedContents/made-${++made}`
    const cache = { name, model, displayName, ttl, usageMetadata: { totalTokenCount: 4_000 } }
    caches.set(name, cache)
    json(response, cache)
  }

  function listOf(things: readonly unknown[], field: string, { url }: Seen, response: ServerResponse): void {
    const from = Number(url.searchParams.get('pageToken') ?? 0)
    const next = from + 2 < things.length ? { nextPageToken: String(from + 2) } : {}
    json(response, { [field]: things.slice(from, from + 2), ...next })
  }

  function serve(one: Seen, response: ServerResponse): unknown {
    const { method, url } = one
    const path = url.pathname.replace(/\/v1beta\//, '/')
    if (one.headers['x-goog-api-key'] !== key) throw new Refused('no key')
    if (path === '/upload/files')
      return url.searchParams.has('upload_id') ? takePiece(one, response) : begin(one, response)
    if (path.endsWith(':batchGenerateContent')) return createBatch(one, response)
    if (path === '/cachedContents' && method === 'POST') return createCache(one, response)
    if (path.endsWith(':generateContent')) return json(response, ANSWER)
    if (path === '/files') return listOf([...files.values()].map(({ file }) => file).reverse(), 'files', one, response)
    if (path === '/cachedContents') return listOf([...caches.values()].reverse(), 'cachedContents', one, response)
    if (path === '/batches') return listOf([...batches.values()].reverse(), 'operations', one, response)
    const [name = '', action] = path.slice(1).split(':')
    const file = files.get(name)
    if (file !== undefined && action === 'download') return response.writeHead(200).end(file.bytes)
    const cache = caches.get(name)
    if (cache !== undefined && method === 'PATCH') {
      caches.set(name, { ...cache, ...JSON.parse(one.body.toString()) })
      return json(response, caches.get(name) ?? {})
    }
    if (!files.has(name) && !batches.has(name) && cache === undefined)
      return json(response, { error: { code: 404, status: 'NOT_FOUND' } }, 404)
    if (method === 'DELETE') {
      files.delete(name)
      batches.delete(name)
      caches.delete(name)
      return json(response, {})
    }
    return json(response, action === 'cancel' ? {} : (file?.file ?? batches.get(name) ?? cache ?? {}))
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://account.test')
    const one = { method: request.method ?? '', url, headers: request.headers, body: await buffer(request) }
    seen.push(one)
    try {
      serve(one, response)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      json(response, { error: { code: 400, status: 'INVALID_ARGUMENT', message: error.message } }, 400)
    }
  }

  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1beta`,
    seen,
    /** As an operator makes it, past Gate. */
    putFile: (name: string, text: string) =>
      files.set(name, { file: { name, sizeBytes: String(text.length) }, bytes: Buffer.from(text) }),
    /** What has become of a batch. */
    setBatch: (name: string, metadata: object) => batches.set(name, { name, metadata }),
    close(): void {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** A whole answer of two tokens. */
export const ANSWER = {
  candidates: [{ content: { role: 'model', parts: [{ text: 'Hi.' }] }, finishReason: 'STOP', index: 0 }],
  usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
  modelVersion: 'gemini',
}

function json(response: ServerResponse, value: object, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
