import { anthropic } from './anthropic/dialect.ts'
import type { Dialect } from './dialect.ts'
import { openAiChat } from './openai-chat/dialect.ts'

/** The dialects that the gateway knows. */
export type Dialects = {
  /** Every dialect that clients may use. The first also words refusals of requests that belong to none. */
  readonly all: readonly [Dialect, ...Dialect[]]
  /** The dialects that an upstream of a provider takes. The first is the one in which Gate asks it for its models. */
  readonly spokenBy: (provider: string) => readonly [Dialect, ...Dialect[]]
}

export const DIALECTS: Dialects = {
  all: [openAiChat, anthropic],
  spokenBy: (provider) => (provider === 'anthropic' ? [anthropic] : [openAiChat]),
}
