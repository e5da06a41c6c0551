import { type FakeUpstream, sendJson, startFakeUpstream } from '../support/fake-upstream.ts'
import type { Shape } from '../wire/schemas.ts'

/** What a request asks for, whatever its dialect. */
export type Asked = {
  readonly stream: boolean
  /** The last text of the user. */
  readonly question: string
  readonly hasImage: boolean
  /** Whether the model is to think, and show it. */
  readonly thinks: boolean
  /** Names. */
  readonly tools: readonly string[]
  /** Results of tools. */
  readonly results: number
  /** The answer has to follow a schema. */
  readonly hasSchema: boolean
  /** What the model thought before its calls came back as it was, with its signature where it has one. */
  readonly hasThought: boolean
}

export type Call = { readonly id: string; readonly name: string; readonly input: object }

/** What the model says, in this order. */
export type Said = { readonly thought: string | null; readonly text: string; readonly calls: readonly Call[] }

/** A dialect as an upstream speaks it that takes nothing but what the types of its SDK allow. */
export type UpstreamDialect = {
  readonly name: 'openai-chat' | 'openai-responses' | 'anthropic' | 'google' | 'ollama'
  /** How Gate is told of it. */
  readonly provider: string
  /** Where that is not all that the provider speaks. */
  readonly dialects?: object
  readonly model: string
  readonly basePath: string
  readonly streamType: string
  /** Of a whole answer, and of what one frame of a stream holds. */
  readonly shapes: { readonly answer: Shape; readonly event: Shape }
  /** What is wrong with a request; empty when nothing is. */
  readonly problems: (body: Body, headers: Headers) => readonly string[]
  readonly read: (body: Body, path: string) => Asked
  readonly whole: (said: Said) => object
  /** The frames of a stream, the last of which ends it. */
  readonly frames: (said: Said) => readonly string[]
  readonly failure: (status: number, message: string) => object
  /** How a stream says that it failed. */
  readonly failureFrame: (message: string) => string
}

// biome-ignore lint/suspicious/noExplicitAny: the schemas have checked it
export type Body = any
type Headers = Readonly<Record<string, string | string[] | undefined>>

export type Upstream = Pick<FakeUpstream, 'seen' | 'close'> & {
  readonly dialect: UpstreamDialect
  /** Base URL. */
  readonly url: string
  readonly asked: readonly Asked[]
}

/** Seconds that a client is told to wait which asks too often. */
export const RETRY_AFTER_S = 7

/** Starts one whose model knows the weather of two cities. What the user says makes it fail. */
export async function startUpstream(dialect: UpstreamDialect): Promise<Upstream> {
  const asked: Asked[] = []
  const { seen, url, close } = await startFakeUpstream(({ body: text, headers, path }, response) => {
    const body = JSON.parse(text)
    const fail = (status: number, message: string, more: Record<string, string> = {}) =>
      sendJson(response, status, dialect.failure(status, message), more)
    const problems = dialect.problems(body, headers)
    if (problems.length > 0) return fail(400, problems.join('; '))
    const one = dialect.read(body, path)
    asked.push(one)
    if (one.question.includes('too often')) return fail(429, 'slower', { 'retry-after': String(RETRY_AFTER_S) })
    if (one.question.includes('broken')) return fail(500, 'no memory')
    const said = saidTo(one)
    if (!one.stream) return sendJson(response, 200, dialect.whole(said))
    const frames = dialect.frames(said)
    response.writeHead(200, { 'content-type': dialect.streamType })
    for (const frame of frames.slice(0, -1)) response.write(frame)
    if (one.question.includes('for ever')) return // until the client goes away
    response.end(one.question.includes('fails later') ? dialect.failureFrame('out of memory') : frames.at(-1))
  })
  return { dialect, asked, seen, close, url: url.replace(/\/v1$/, dialect.basePath) }
}

export const USAGE = { input: 21, output: 9, thinking: 3 }
export const THOUGHT = 'Hm.'

const CALLS: readonly Call[] = ['Oslo', 'Rome'].map((city, index) => ({
  id: `call_${index}`,
  name: 'get_weather',
  input: { city },
}))

function saidTo({ hasSchema, tools, results, hasImage, thinks }: Asked): Said {
  const thought = thinks ? THOUGHT : null
  const say = (text: string, calls: readonly Call[] = []): Said => ({ thought, text, calls })
  if (hasSchema) return say('{"degrees":4}')
  if (results > 0) return say('4 and 19')
  if (tools.includes('get_weather')) return say('I look.', CALLS)
  if (tools[0] !== undefined) return say('', [{ id: 'call_0', name: tools[0], input: { degrees: 4 } }])
  return say(hasImage ? 'A red dot.' : 'Hello there.')
}

/** A body without some fields, which its server takes although the types of the SDK do not have them. */
export const without = (body: Body, fields: readonly string[]): Body =>
  JSON.parse(JSON.stringify(body), (key, value) => (fields.includes(key) ? undefined : value))

/** What OpenAI's own helpers add to what they give back. */
export const PARSED = ['parsed', 'parsed_arguments']

/** A text in pieces, as streams have it. */
export const pieces = (text: string): readonly string[] => text.match(/.{1,5}/gs) ?? []

/** A frame of server-sent events. */
export const event = (type: string | null, data: object): string =>
  `${type === null ? '' : `event: ${type}\n`}data: ${JSON.stringify(data)}\n\n`
