import { OPENING_BRACKET } from '../../../syntax/json/brackets.ts'
import type { Dialect } from '../dialect.ts'
import { looksLikeEvents, SseScanner } from '../sse.ts'
import { embeddings } from './embeddings.ts'
import { ENDPOINTS, KEY_HEADER, LIST_ENDPOINTS } from './endpoint.ts'
import { errorBody, errorFrame, failureOf, listErrorFrame, retryAfterIn } from './error.ts'
import { countInput, estimateInput, estimateOutput } from './estimate.ts'
import { withInstructions } from './instructions.ts'
import { ListStreamWatch } from './list-stream.ts'
import { listModels, readFacts, readModels, showModel } from './models.ts'
import { listNeutral, neutral } from './neutral.ts'
import { filesIn, OBJECT_ENDPOINTS, objects } from './objects.ts'
import { bodyFor, readRequest, upstreamPath } from './request.ts'
import { ContentStreamWatch } from './stream.ts'
import { usageOf } from './usage.ts'

/** Google's generateContent, as the Gemini API has it. */
export const google = {
  name: 'google',
  endpoints: ENDPOINTS,
  readRequest,
  media: {
    image: { word: 'image/', sign: /"mime_?[tT]ype"\s*:\s*"image\// },
    audio: { word: 'audio/', sign: /"mime_?[tT]ype"\s*:\s*"audio\// },
    file: { word: 'application/pdf', sign: /"mime_?[tT]ype"\s*:\s*"application\/pdf/ },
  },
  bodyFor,
  withInstructions,
  upstreamPath,
  requestHeaders: ['x-goog-api-client', 'x-goog-request-params'],
  fixedHeaders: {},
  keyHeader: (key) => [KEY_HEADER, key],
  hiddenHeaders: null,
  streamType: 'text/event-stream',
  looksLikeStream: looksLikeEvents,
  watch: (_, choices) => new ContentStreamWatch((onPart) => new SseScanner(onPart), choices),
  usageOf,
  estimateInput,
  estimateOutput,
  countInput,
  countBody: (totalTokens) => ({ totalTokens }),
  failureOf,
  retryAfterIn,
  errorBody,
  errorFrame,
  ping: '\n', // a comment would be an answer to some clients, which read line by line
  version: '/v1beta',
  modelsPath: '/models?pageSize=1000',
  readModels,
  readFacts,
  listModels,
  showModel,
  embeddings,
  filesIn,
  neutral,
} satisfies Dialect

const { neutral: _, ...withoutNeutral } = google

/** The same for clients that read a stream as one JSON list. */
export const googleList = {
  ...google,
  endpoints: LIST_ENDPOINTS,
  streamType: 'application/json',
  looksLikeStream: (start) => looksLikeList(start),
  watch: (_, choices) => new ListStreamWatch(choices),
  errorFrame: listErrorFrame,
  neutral: listNeutral,
} satisfies Dialect

/** Files and batches, which only pass: to upstreams that speak this dialect themselves. */
export const googleObjects = { ...withoutNeutral, endpoints: OBJECT_ENDPOINTS, objects } satisfies Dialect

function looksLikeList(start: Uint8Array): boolean | null {
  const first = start.find((byte) => byte > 0x20)
  return first === undefined ? null : first === OPENING_BRACKET
}
