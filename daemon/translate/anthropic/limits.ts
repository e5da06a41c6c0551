import type { NeutralRequest } from '../neutral.ts'

/**
 * Anthropic wants a limit, where others leave it to the model: about the longest answers that each takes.
 * @see https://docs.claude.com/en/docs/about-claude/models/overview
 */
const LIMITS: readonly (readonly [RegExp, number])[] = [
  [/claude-3-5/, 8_192],
  [/claude-3-(?!7)/, 4_096],
]
const USUAL_LIMIT = 32_000

export const limitOf = ({ maxOutputTokens }: NeutralRequest, model: string): number =>
  maxOutputTokens ?? LIMITS.find(([pattern]) => pattern.test(model))?.[1] ?? USUAL_LIMIT

/** A stop sequence, or a text, that is refused. */
export const isBlank = (text: string): boolean => text.trim() === ''
