/**
 * Adds to a list in place. Copying what is there for each message that joins a turn would hold the loop for minutes where
 * a request has 100,000 of them; and arguments of `push` have a limit.
 */
export function append<T>(list: T[], more: readonly T[]): void {
  for (const one of more) list.push(one)
}
