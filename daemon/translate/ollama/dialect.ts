import type { Dialect } from '../dialect.ts'
import { embeddings } from './embeddings.ts'
import { ABSENT, ENDPOINTS, GENERATE_ENDPOINTS } from './endpoint.ts'
import { errorBody, errorFrame, failureOf } from './error.ts'
import { estimateInput, estimateOutput } from './estimate.ts'
import { withInstructions } from './instructions.ts'
import { listModels, readModels, showModel } from './models.ts'
import { generateNeutral, neutral } from './neutral.ts'
import { bodyFor, readRequest, upstreamPath } from './request.ts'
import { LineStreamWatch } from './stream.ts'
import { usageOf } from './usage.ts'
import { asMessage, asResponse, type Form } from './write-answer.ts'

/** Clients parse each line, so a ping is one that says nothing. */
const pingAs = (form: Form): string =>
  `${JSON.stringify({ model: '', created_at: '1970-01-01T00:00:00Z', ...form({}), done: false })}\n`

/** Ollama's own API: its SDKs, Home Assistant, and plugins of many programs know no other. */
export const ollama = {
  name: 'ollama',
  endpoints: ENDPOINTS,
  absent: ABSENT,
  readRequest,
  media: { image: { word: 'images"', sign: /"images"\s*:\s*\[\s*"/ } },
  bodyFor,
  withInstructions,
  upstreamPath,
  requestHeaders: [],
  fixedHeaders: {},
  keyHeader: (key) => ['authorization', `Bearer ${key}`],
  hiddenHeaders: null,
  streamType: 'application/x-ndjson',
  looksLikeStream: (_, isCalledStream) => isCalledStream,
  watch: () => new LineStreamWatch(),
  usageOf,
  estimateInput,
  estimateOutput,
  failureOf,
  errorBody,
  errorFrame,
  ping: pingAs(asMessage),
  version: '/api',
  modelsPath: '/tags',
  readModels,
  listModels,
  showModel,
  embeddings,
  neutral,
} satisfies Dialect

/** What completes a prompt, in answers of another form. */
export const ollamaGenerate = {
  ...ollama,
  endpoints: GENERATE_ENDPOINTS,
  ping: pingAs(asResponse),
  neutral: generateNeutral,
} satisfies Dialect
