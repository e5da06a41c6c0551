/** What is left of a rate; `resetMs`: until all of it is back. */
type RateState = { readonly limit: number; readonly remaining: number; readonly resetMs: number }

/** The rates that a request came closest to; null: there is none. */
export type RateStates = { readonly requests: RateState | null; readonly tokens: RateState | null }

/** How clients of a dialect are told what is left of their rates. */
export type RateHeaders = {
  /** How the headers begin; an upstream's own of that beginning are about the account of the operator. */
  readonly prefix: string
  /** Names and values in turn. @param nowMs Unix milliseconds */
  readonly of: (states: RateStates, nowMs: number) => readonly string[]
}
