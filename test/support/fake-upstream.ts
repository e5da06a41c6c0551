import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** A request as the upstream saw it. */
export type Seen = {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  aborted: boolean
}

/** An OpenAI-compatible upstream that does what a test tells it to. */
export type FakeUpstream = {
  /** Base URL, with `/v1`. */
  readonly url: string
  readonly seen: readonly Seen[]
  readonly close: () => Promise<void>
}

type Behaviour = (request: Seen, response: ServerResponse) => void | Promise<void>

/**
 * Starts one on a loopback port (a free one when 0), or on a Unix socket (a path). `GET /v1/models` lists `models`;
 * everything else does `behave`.
 */
export async function startFakeUpstream(
  behave: Behaviour,
  models: readonly string[] = ['mock'],
  place: number | string = 0,
): Promise<FakeUpstream> {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    if (request.method === 'GET' && request.url === '/v1/models') {
      sendJson(response, 200, { object: 'list', data: models.map((id) => ({ id, object: 'model' })) })
      return
    }
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => {
      const one: Seen = { path: request.url ?? '', headers: request.headers, body, aborted: false }
      seen.push(one)
      response.on('close', () => {
        one.aborted = !response.writableFinished
      })
      void behave(one, response)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    if (typeof place === 'number') server.listen(place, '127.0.0.1', resolve)
    else server.listen(place, resolve)
  })
  const address = server.address()
  const host = address !== null && typeof address === 'object' ? `127.0.0.1:${address.port}` : 'localhost'
  return {
    url: `http://${host}/v1`,
    seen,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  const body = JSON.stringify(value)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...headers,
  })
  response.end(body)
}

/** A whole chat completion in OpenAI's wire format. */
export function completion(content: string, usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 }) {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'mock',
    choices: [
      { index: 0, message: { role: 'assistant', content, refusal: null }, logprobs: null, finish_reason: 'stop' },
    ],
    usage,
  }
}

/** One frame of a streamed chat completion. */
export function frame(delta: object, finishReason: string | null = null, extra: object = {}): string {
  const chunk = {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'mock',
    choices: [{ index: 0, delta, finish_reason: finishReason }],
    ...extra,
  }
  return `data: ${JSON.stringify(chunk)}\n\n`
}

export const STREAM_HEADERS = { 'content-type': 'text/event-stream' }
export const DONE = 'data: [DONE]\n\n'

/** Environment that makes an upstream known to a daemon. @param name lower-case letters */
export function upstreamEnv(name: string, url: string, models: readonly string[] = ['mock']): Record<string, string> {
  const prefix = `GATE_UPSTREAMS__${name.toUpperCase()}__`
  return {
    [`${prefix}PROVIDER`]: 'custom',
    [`${prefix}BASE_URL`]: url,
    [`${prefix}API_KEY`]: `key-of-${name}`,
    [`${prefix}MODELS`]: JSON.stringify(models),
  }
}
