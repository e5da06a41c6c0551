/** Every way of speaking to models, by the name of its folder in `daemon/translate/`. */
export type DialectName = 'openai-chat' | 'openai-responses' | 'anthropic' | 'google' | 'ollama'

/**
 * How well an upstream speaks a dialect. native: bytes pass both ways. repair: it takes plain requests, and what it
 * answers is written anew. translate: it is spoken to in another dialect.
 */
export const GRADES = ['native', 'repair', 'translate'] as const
export type Grade = (typeof GRADES)[number]

/** Grades by name of a dialect, the preferred one first; what is not named is translated. */
export type Grades = Readonly<Record<string, Grade>>

/** Where a grade comes from that is not simply known of the provider. */
export type GradeOrigin = {
  readonly from: 'probe' | 'config'
  /** What the probe found wrong; absent: nothing. */
  readonly faults?: string[]
}
