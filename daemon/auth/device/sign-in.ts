import type { Scope } from '../../../schemas/words/scopes.ts'

/** How long a sign-in lasts that is not used, and how long at most. */
const IDLE_LIFE_MS = 30 * 86_400_000
const LONGEST_LIFE_MS = 180 * 86_400_000

/**
 * A device, or a program on one, that a person let in. It holds a refresh token, which each use replaces, and access
 * tokens of an hour. Times are Unix milliseconds.
 */
export type SignIn = {
  readonly id: string
  readonly userId: string
  readonly clientId: string | null
  /** As it called itself. */
  readonly label: string
  /** What it asked for; null: all that the person may. */
  readonly scopes: readonly Scope[] | null
  /** How often its refresh token was replaced. */
  readonly generation: number
  readonly createdAt: number
  readonly usedAt: number
}

/** What sign-ins need from storage. */
export type SignInStore = {
  readonly all: () => readonly SignIn[]
  readonly put: (signIn: SignIn) => void
  readonly remove: (id: string) => void
}

/** Whether it was not used for too long, or lasts too long already. @param at Unix milliseconds */
export function isOver({ usedAt, createdAt }: SignIn, at: number): boolean {
  return at >= Math.min(usedAt + IDLE_LIFE_MS, createdAt + LONGEST_LIFE_MS)
}
