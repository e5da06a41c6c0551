/** The SQLite databases of a state directory: all that a daemon opens, that a backup copies and a restore checks. */
export const DATABASES = {
  /** Keys, users, usage and the audit. */
  main: 'gate.db',
  answers: 'responses.db',
  /** Kept prompts and answers. */
  texts: 'texts.db',
} as const

export const DATABASE_NAMES: readonly string[] = Object.values(DATABASES)
