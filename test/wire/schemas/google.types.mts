// What test/wire/schemas/google.json is made of: bodies as they go over the wire, of the SDK's types. What their comments
// say is required, or not supported by the Gemini API, is so here.
import type {
  Candidate,
  Content,
  FunctionDeclaration,
  FunctionResponse,
  GenerateContentResponse,
  GenerationConfig,
  ImageConfig,
  Part,
  SafetySetting,
  ServiceTier,
  Tool,
  ToolConfig,
} from '@google/genai'

interface WirePart extends Omit<Part, 'functionCall' | 'functionResponse'> {
  functionCall?: { id?: string; name: string; args?: Record<string, unknown> }
  functionResponse?: Omit<FunctionResponse, 'name' | 'response'> & { name: string; response: Record<string, unknown> }
}

interface WireContent extends Omit<Content, 'parts' | 'role'> {
  role?: 'user' | 'model'
  parts: WirePart[]
}

interface WireTool extends Omit<Tool, 'functionDeclarations'> {
  functionDeclarations?: (Omit<FunctionDeclaration, 'name'> & { name: string })[]
}

interface GenerateContentRequest {
  contents: WireContent[]
  systemInstruction?: WireContent
  tools?: WireTool[]
  toolConfig?: ToolConfig
  generationConfig?: Omit<GenerationConfig, 'audioTimestamp' | 'routingConfig' | 'modelSelectionConfig'> & {
    imageConfig?: ImageConfig
  }
  safetySettings?: SafetySetting[]
  cachedContent?: string
  serviceTier?: ServiceTier
  labels?: Record<string, string>
  store?: boolean
}

interface WireModel {
  name: string
  displayName?: string
  description?: string
  version?: string
  inputTokenLimit?: number
  outputTokenLimit?: number
  supportedGenerationMethods?: string[]
  temperature?: number
  maxTemperature?: number
  topP?: number
  topK?: number
  thinking?: boolean
}

export interface Google {
  GenerateContentRequest: GenerateContentRequest
  GenerateContentResponse: Omit<
    GenerateContentResponse,
    | 'sdkHttpResponse'
    | 'automaticFunctionCallingHistory'
    | 'text'
    | 'data'
    | 'functionCalls'
    | 'executableCode'
    | 'codeExecutionResult'
    | 'initialPromptTokenCount'
    | 'candidates'
  > & { candidates?: (Omit<Candidate, 'content'> & { content?: WireContent })[] }
  CountTokensRequest: { contents?: WireContent[]; generateContentRequest?: GenerateContentRequest & { model: string } }
  CountTokensResponse: { totalTokens: number; cachedContentTokenCount?: number }
  Model: WireModel
  ListModelsResponse: { models: WireModel[]; nextPageToken?: string }
  ErrorResponse: { error: { code: number; message: string; status: string; details?: Record<string, unknown>[] } }
}
