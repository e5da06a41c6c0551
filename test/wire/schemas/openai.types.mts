// What test/wire/schemas/openai.json is made of.
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionCreateParams,
} from 'openai/resources/chat/completions/completions'
import type { Model } from 'openai/resources/models'

export interface OpenAi {
  ChatCompletionCreateParams: ChatCompletionCreateParams
  ChatCompletion: ChatCompletion
  ChatCompletionChunk: ChatCompletionChunk
  Model: Model
}
