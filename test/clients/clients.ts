import { AGENTS } from './agents.ts'
import { AI_SDK } from './ai-sdk.ts'
import { ANTHROPIC } from './anthropic.ts'
import type { Client } from './client.ts'
import { GOOGLE } from './google.ts'
import { LANGCHAIN } from './langchain.ts'
import { OLLAMA } from './ollama.ts'
import { OPENAI } from './openai.ts'

export const CLIENTS: readonly Client[] = [
  ...OPENAI,
  ...ANTHROPIC,
  ...GOOGLE,
  ...OLLAMA,
  ...AI_SDK,
  ...LANGCHAIN,
  ...AGENTS,
]
