import type { Dialect } from '../dialect.ts'
import { inputTokensIn } from '../engine-count.ts'
import { fileIdsIn } from '../file-ids.ts'
import { errorBody } from '../openai-error.ts'
import { rateHeaders } from '../openai-rates.ts'
import { looksLikeEvents } from '../sse.ts'
import { embeddings } from './embeddings.ts'
import { ENDPOINTS } from './endpoint.ts'
import { errorFrame, failureOf } from './error.ts'
import { estimateInput, estimateOutput } from './estimate.ts'
import { withInstructions } from './instructions.ts'
import { listModels, readFacts, readModels, showModel } from './models.ts'
import { neutral } from './neutral.ts'
import { bodyFor, REQUEST_HEADERS, readRequest } from './request.ts'
import { ChatStreamWatch } from './stream.ts'
import { usageOf } from './usage.ts'

/** OpenAI's chat completions: what nearly every engine and provider takes. */
export const openAiChat = {
  name: 'openai-chat',
  endpoints: ENDPOINTS,
  readRequest,
  media: {
    image: { word: 'image_url"', sign: /"type"\s*:\s*"image_url"/ },
    audio: { word: 'input_audio"', sign: /"type"\s*:\s*"input_audio"/ },
    file: { word: 'file"', sign: /"type"\s*:\s*"file"/ },
  },
  bodyFor,
  withInstructions,
  upstreamPath: ({ endpoint }) => (endpoint.does === 'embed' ? '/embeddings' : '/chat/completions'),
  requestHeaders: REQUEST_HEADERS,
  fixedHeaders: {},
  keyHeader: (key) => ['authorization', `Bearer ${key}`],
  hiddenHeaders: null,
  rateHeaders,
  streamType: 'text/event-stream',
  looksLikeStream: looksLikeEvents,
  watch: (hidesUsage = false, choices = 1) => new ChatStreamWatch(hidesUsage, choices),
  usageOf,
  estimateInput,
  estimateOutput,
  engineCount: { path: '/chat/completions/input_tokens', read: inputTokensIn },
  failureOf,
  errorBody,
  errorFrame,
  ping: ': ping\n\n',
  version: '/v1',
  modelsPath: '/models',
  readModels,
  readFacts,
  listModels,
  showModel,
  filesIn: fileIdsIn,
  embeddings,
  neutral,
} satisfies Dialect
