// What test/wire/schemas/anthropic.json is made of.
import type {
  Message,
  MessageCountTokensParams,
  MessageCreateParams,
  MessageTokensCount,
  RawMessageStreamEvent,
} from '@anthropic-ai/sdk/resources/messages/messages'
import type { ModelInfo } from '@anthropic-ai/sdk/resources/models'
import type { ErrorResponse } from '@anthropic-ai/sdk/resources/shared'

export interface Anthropic {
  MessageCreateParams: MessageCreateParams
  Message: Message
  RawMessageStreamEvent: RawMessageStreamEvent
  MessageCountTokensParams: MessageCountTokensParams
  MessageTokensCount: MessageTokensCount
  ModelInfo: ModelInfo
  ErrorResponse: ErrorResponse
}
