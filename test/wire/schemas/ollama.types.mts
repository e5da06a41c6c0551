// What test/wire/schemas/ollama.json is made of: bodies as they go over the wire, of the SDK's types. Where those leave
// out what a server may leave out, or have a type of JavaScript's for what is JSON, it is said here.
import type {
  ChatRequest,
  ChatResponse,
  EmbeddingsRequest,
  EmbeddingsResponse,
  EmbedRequest,
  EmbedResponse,
  ErrorResponse,
  GenerateRequest,
  GenerateResponse,
  ListResponse,
  Message,
  ModelResponse,
  ShowRequest,
  ShowResponse,
  ToolCall,
  VersionResponse,
} from 'ollama'

/** Only the last object of a stream has them. */
type Counts =
  | 'done_reason'
  | 'total_duration'
  | 'load_duration'
  | 'prompt_eval_count'
  | 'prompt_eval_duration'
  | 'eval_count'
  | 'eval_duration'
/** Servers of today number calls. */
type WireCall = { id?: string; function: ToolCall['function'] & { index?: number } }
type WireMessage = Omit<Message, 'images' | 'tool_calls' | 'role'> & {
  role: 'system' | 'user' | 'assistant' | 'tool'
  images?: string[]
  tool_calls?: WireCall[]
  tool_call_id?: string
}
type WireModel = Omit<ModelResponse, 'modified_at' | 'expires_at' | 'size_vram'> & { modified_at: string }

export interface Ollama {
  ChatRequest: Omit<ChatRequest, 'messages'> & { messages?: WireMessage[] }
  ChatResponse: Omit<ChatResponse, 'created_at' | 'message' | Counts> &
    Partial<Pick<ChatResponse, Counts>> & { created_at: string; message: WireMessage }
  GenerateRequest: Omit<GenerateRequest, 'images'> & { images?: string[] }
  GenerateResponse: Omit<GenerateResponse, 'created_at' | 'context' | Counts> &
    Partial<Pick<GenerateResponse, Counts | 'context'>> & { created_at: string }
  EmbedRequest: EmbedRequest
  EmbedResponse: EmbedResponse
  EmbeddingsRequest: EmbeddingsRequest
  EmbeddingsResponse: EmbeddingsResponse
  ShowRequest: ShowRequest
  ShowResponse: Omit<
    ShowResponse,
    'model_info' | 'projector_info' | 'modified_at' | 'messages' | 'license' | 'system'
  > &
    Partial<Pick<ShowResponse, 'license' | 'system'>> & { model_info: Record<string, unknown>; modified_at: string }
  ListResponse: Omit<ListResponse, 'models'> & { models: WireModel[] }
  RunningResponse: {
    models: (Omit<ModelResponse, 'modified_at' | 'expires_at'> & { expires_at: string })[]
  }
  VersionResponse: VersionResponse
  ErrorResponse: ErrorResponse
}
