import { problemsOf } from '../wire/schemas.ts'
import { type Body, event, pieces, RETRY_AFTER_S, type Said, type UpstreamDialect, USAGE } from './upstream.ts'

const SIGNATURE = 'c2lnbmVkIGJ5IEdvb2dsZQ=='
/** What clients send that have none. */
const NOT_SIGNED = 'skip_thought_signature_validator'

/** generateContent of Gemini 3, which refuses a call that comes back without its signature. */
export const google: UpstreamDialect = {
  name: 'google',
  provider: 'google',
  model: 'gemini-3-pro',
  basePath: '/v1beta',
  streamType: 'text/event-stream',
  shapes: { answer: 'google:GenerateContentResponse', event: 'google:GenerateContentResponse' },
  problems: (body, headers) => [
    ...problemsOf('google:GenerateContentRequest', body),
    ...(headers['x-goog-api-key'] === 'key-of-the-upstream' ? [] : ['no x-goog-api-key']),
    ...firstCalls(body).flatMap(({ thoughtSignature: signature }) =>
      signature === SIGNATURE || signature === NOT_SIGNED ? [] : ['a call without its thought_signature'],
    ),
    ...unanswered(body),
  ],
  read({ contents, tools = [], generationConfig: config }, path) {
    const parts: readonly Body[] = contents.flatMap((turn: Body) => turn.parts)
    const said = contents.flatMap(({ role, parts: some }: Body) => (role === 'model' ? [] : some))
    const signed = firstCalls({ contents })
    return {
      stream: path.includes('streamGenerateContent'),
      question: said.findLast(({ text }: Body) => text !== undefined)?.text ?? '',
      hasImage: parts.some(({ inlineData: { data = '' } = {} }) => data.startsWith('iVBOR')),
      thinks: config?.thinkingConfig?.includeThoughts === true,
      tools: tools.flatMap((tool: Body) => (tool.functionDeclarations ?? []).map(({ name }: Body) => name)),
      results: parts.filter(({ functionResponse: result }) => result !== undefined).length,
      hasSchema: config?.responseJsonSchema !== undefined || config?.responseSchema !== undefined,
      hasThought: signed.length > 0 && signed.every(({ thoughtSignature: one }) => one === SIGNATURE),
    }
  },
  whole: (said) => content(partsOf(said), 'STOP'),
  frames: (said) => [
    ...partsOf(said).flatMap(({ text, ...rest }) =>
      text === undefined ? [frame([rest])] : pieces(text).map((piece) => frame([{ text: piece, ...rest }])),
    ),
    frame([{ text: '' }], 'STOP'),
  ],
  failure: (code, message) => ({
    error: { code, status: STATUSES[code], message, details: code === 429 ? [RETRY] : [] },
  }),
  failureFrame: (message) => event(null, { error: { code: 500, status: 'INTERNAL', message } }),
}

const STATUSES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
}
const RETRY = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${RETRY_AFTER_S}s` }
const REPORT = {
  promptTokenCount: USAGE.input,
  candidatesTokenCount: USAGE.output - USAGE.thinking,
  thoughtsTokenCount: USAGE.thinking,
  totalTokenCount: USAGE.input + USAGE.output,
}

function content(parts: readonly object[], finishReason?: string): object {
  const candidate = { content: { role: 'model', parts }, index: 0, ...(finishReason !== undefined && { finishReason }) }
  return { candidates: [candidate], usageMetadata: REPORT, modelVersion: 'gemini-3-pro', responseId: 'r1' }
}

const frame = (parts: readonly object[], finishReason?: string): string => event(null, content(parts, finishReason))

/** The first of several calls is signed. */
const partsOf = ({ thought, text, calls }: Said): readonly Body[] => [
  ...(thought === null ? [] : [{ text: thought, thought: true }]),
  ...(text === '' ? [] : [{ text }]),
  ...calls.map(({ id, name, input }, index) => ({
    functionCall: { id, name, args: input },
    ...(index === 0 && { thoughtSignature: SIGNATURE }),
  })),
]

/** Of each turn of the model; a client may keep each part of a stream as a turn of its own. */
function firstCalls({ contents }: Body): readonly Body[] {
  return contents.flatMap(({ role, parts }: Body, at: number) => {
    if (role !== 'model' || contents[at - 1]?.role === 'model') return []
    const end = contents.findIndex((turn: Body, index: number) => index > at && turn.role !== 'model')
    const turns: readonly Body[] = contents.slice(at + 1, end === -1 ? undefined : end)
    return [...parts, ...turns.flatMap((turn) => turn.parts)].find(({ functionCall: call }) => call !== undefined) ?? []
  })
}

/** As many results as calls, or it is refused. */
function unanswered({ contents }: Body): readonly string[] {
  const parts: readonly Body[] = contents.flatMap((turn: Body) => turn.parts)
  const calls = parts.filter(({ functionCall: call }) => call !== undefined).length
  const results = parts.filter(({ functionResponse: result }) => result !== undefined).length
  return calls === results ? [] : [`${calls} calls, but ${results} results`]
}
