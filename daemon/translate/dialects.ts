import type { Grades } from '../../schemas/words/dialects.ts'
import { gradesOf } from '../../schemas/words/providers.ts'
import { anthropic } from './anthropic/dialect.ts'
import type { Dialect } from './dialect.ts'
import { google, googleList, googleObjects } from './google/dialect.ts'
import { ollama, ollamaGenerate } from './ollama/dialect.ts'
import { openAiChat } from './openai-chat/dialect.ts'
import { openAiCompletions, openAiMedia, openAiObjects } from './openai-chat/passed.ts'
import { openAiResponses } from './openai-responses/dialect.ts'

/** The dialects that the gateway knows. */
export type Dialects = {
  /** Every dialect that clients may use. The first also words refusals of requests that belong to none. */
  readonly all: readonly [Dialect, ...Dialect[]]
  /**
   * How well upstreams of a provider speak each dialect, by its name, as far as that is known without asking them.
   * @param baseUrl where they answer; left out: at the usual URL
   */
  readonly gradesOf: (provider: string, baseUrl?: string) => Grades
}

export const DIALECTS: Dialects = {
  all: [
    openAiChat,
    openAiResponses,
    anthropic,
    google,
    googleList,
    googleObjects,
    ollama,
    ollamaGenerate,
    openAiCompletions,
    openAiMedia,
    openAiObjects,
  ],
  gradesOf,
}
