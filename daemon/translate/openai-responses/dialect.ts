import { providerRow } from '../../../schemas/words/providers.ts'
import type { Dialect } from '../dialect.ts'
import { inputTokensIn } from '../engine-count.ts'
import { fileIdsIn } from '../file-ids.ts'
import { parsedRecord } from '../json-value.ts'
import { errorBody } from '../openai-error.ts'
import { rateHeaders } from '../openai-rates.ts'
import { looksLikeEvents } from '../sse.ts'
import { isCompaction } from './compaction.ts'
import { ENDPOINTS } from './endpoint.ts'
import { errorFrame, failureOf } from './error.ts'
import { countInput, estimateInput, estimateOutput } from './estimate.ts'
import { withInstructions } from './instructions.ts'
import { kept } from './kept.ts'
import { listModels, readModels, showModel } from './models.ts'
import { neutral } from './neutral.ts'
import { probe } from './probe.ts'
import { replayOf } from './replay.ts'
import { bodyFor, REQUEST_HEADERS, readRequest, upstreamPath } from './request.ts'
import { ResponseStreamWatch } from './stream.ts'
import { usageOf } from './usage.ts'

/** OpenAI's responses, which Codex and the AI SDK speak. */
export const openAiResponses = {
  name: 'openai-responses',
  endpoints: ENDPOINTS,
  readRequest,
  media: {
    image: { word: 'input_image"', sign: /"type"\s*:\s*"input_image"/ },
    audio: { word: 'input_audio"', sign: /"type"\s*:\s*"input_audio"/ },
    file: { word: 'input_file"', sign: /"type"\s*:\s*"input_file"/ },
  },
  bodyFor,
  withInstructions,
  upstreamPath,
  requestHeaders: REQUEST_HEADERS,
  fixedHeaders: {},
  keyHeader: (key) => ['authorization', `Bearer ${key}`],
  hiddenHeaders: null,
  rateHeaders,
  streamType: 'text/event-stream',
  looksLikeStream: looksLikeEvents,
  watch: () => new ResponseStreamWatch(),
  usageOf,
  estimateInput,
  estimateOutput,
  countInput,
  countBody: (inputTokens) => ({ object: 'response.input_tokens', input_tokens: inputTokens }),
  engineCount: { path: '/responses/input_tokens', read: inputTokensIn },
  hasRoute: ({ endpoint }, provider) => !isCompaction(endpoint) || providerRow(provider).isStateless !== true,
  failureOf,
  replay: (answer) => replayOf(parsedRecord(answer.toString('utf8')) ?? {}, -1),
  errorBody,
  errorFrame,
  ping: ': ping\n\n',
  version: '/v1',
  modelsPath: '/models',
  readModels,
  listModels,
  showModel,
  filesIn: fileIdsIn,
  kept,
  neutral,
  probe,
} satisfies Dialect
