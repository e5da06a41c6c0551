import type { ConfigCode } from '../schemas/words/error-codes.ts'
import type { Path } from '../syntax/tree.ts'

/** What is wrong with a configuration whose every value is right alone. */
export type Conflict = {
  readonly code: ConfigCode
  readonly path: Path
  readonly message: string
  /** Made only for the conflicts that are reported. */
  readonly hint: () => string
  /** What to leave out so that the rest can be used. */
  readonly without: Path
}
