import type { Dialect } from '../dialect.ts'
import { inputTokensIn } from '../engine-count.ts'
import { fileIdsIn } from '../file-ids.ts'
import { looksLikeEvents } from '../sse.ts'
import { ENDPOINTS, VERSION, VERSION_HEADER } from './endpoint.ts'
import { errorBody, errorFrame, failureOf, requestIdIn } from './error.ts'
import { countInput, estimateInput, estimateOutput } from './estimate.ts'
import { withInstructions } from './instructions.ts'
import { listModels, readFacts, readModels, showModel } from './models.ts'
import { neutral } from './neutral.ts'
import { OBJECT_ENDPOINTS, objects } from './objects.ts'
import { probe } from './probe.ts'
import { rateHeaders } from './rates.ts'
import { bodyFor, readRequest, upstreamPath } from './request.ts'
import { MessageStreamWatch } from './stream.ts'
import { usageOf } from './usage.ts'

/** Anthropic's messages. */
export const anthropic = {
  name: 'anthropic',
  endpoints: [...ENDPOINTS, ...OBJECT_ENDPOINTS],
  readRequest,
  media: {
    image: { word: 'image"', sign: /"type"\s*:\s*"image"/ },
    file: { word: 'document"', sign: /"type"\s*:\s*"document"/ },
  },
  bodyFor,
  withInstructions,
  upstreamPath,
  requestHeaders: ['anthropic-beta', VERSION_HEADER],
  fixedHeaders: { [VERSION_HEADER]: VERSION },
  keyHeader: (key) => ['x-api-key', key],
  hiddenHeaders: 'anthropic-ratelimit-',
  rateHeaders,
  streamType: 'text/event-stream',
  looksLikeStream: looksLikeEvents,
  watch: () => new MessageStreamWatch(),
  usageOf,
  estimateInput,
  estimateOutput,
  countInput,
  countBody: (inputTokens) => ({ input_tokens: inputTokens }),
  engineCount: { path: '/messages/count_tokens', read: inputTokensIn },
  failureOf,
  errorBody,
  errorFrame,
  requestIdIn,
  ping: 'event: ping\ndata: {"type":"ping"}\n\n',
  version: '/v1',
  modelsPath: '/models?limit=1000',
  readModels,
  readFacts,
  listModels,
  showModel,
  objects,
  filesIn: fileIdsIn,
  neutral,
  probe,
} satisfies Dialect
