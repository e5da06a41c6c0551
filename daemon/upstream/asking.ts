import { type Dispatcher, request } from 'undici'

/** What came back. The body comes in chunks of UTF-8. */
export type Answer = {
  readonly ok: boolean
  readonly status: number
  readonly body: (AsyncIterable<Uint8Array> & { cancel: () => Promise<void> }) | null
}

/** What is asked; `body` is JSON. */
export type Question = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  readonly signal: AbortSignal
  /** The connections that it goes over; left out: those of this process. */
  readonly dispatcher?: Dispatcher
}

/** There is no answer, or it broke off. */
export class NoAnswerError extends Error {
  constructor(cause: unknown) {
    super(reasonOf(cause), { cause })
    this.name = 'NoAnswerError'
  }
}

/**
 * A question of the daemon's own, asked as requests of clients are: `fetch` refuses some ports, on which an upstream
 * would then serve requests, but never say what its models are. A redirect is an answer like any other.
 * @throws NoAnswerError, as does reading the body
 */
export async function asked({ url, headers, body, signal, dispatcher }: Question): Promise<Answer> {
  const options = {
    method: body === undefined ? 'GET' : 'POST',
    headers: { accept: 'application/json', 'user-agent': 'gate', ...headers },
    signal,
    ...(body !== undefined && { body }),
    ...(dispatcher !== undefined && { dispatcher }),
  } as const
  const { statusCode: status, body: stream } = await request(url, options).catch((error: unknown) => {
    throw new NoAnswerError(error)
  })
  stream.on('error', () => {}) // where it is not read, no one else listens
  return {
    ok: status >= 200 && status < 300,
    status,
    body: {
      [Symbol.asyncIterator]: () => chunksOf(stream),
      cancel: async () => void stream.destroy(),
    },
  }
}

async function* chunksOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* stream
  } catch (error) {
    throw new NoAnswerError(error)
  }
}

/** An error for several addresses has no message of its own. */
function reasonOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  return first instanceof Error ? first.message : String(first)
}
