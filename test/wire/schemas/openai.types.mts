// What test/wire/schemas/openai.json is made of.
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionCreateParams,
} from 'openai/resources/chat/completions/completions'
import type { Model } from 'openai/resources/models'
import type { ResponseItemList } from 'openai/resources/responses/input-items'
import type { InputTokenCountParams, InputTokenCountResponse } from 'openai/resources/responses/input-tokens'
import type {
  CompactedResponse,
  Response,
  ResponseCompactParams,
  ResponseCreateParams,
  ResponseStreamEvent,
} from 'openai/resources/responses/responses'

export interface OpenAi {
  ChatCompletionCreateParams: ChatCompletionCreateParams
  ChatCompletion: ChatCompletion
  ChatCompletionChunk: ChatCompletionChunk
  Model: Model
  ResponseCreateParams: ResponseCreateParams
  Response: Response
  ResponseStreamEvent: ResponseStreamEvent
  ResponseItemList: ResponseItemList
  ResponseCompactParams: ResponseCompactParams
  CompactedResponse: CompactedResponse
  InputTokenCountParams: InputTokenCountParams
  InputTokenCountResponse: InputTokenCountResponse
}
