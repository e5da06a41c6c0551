/** The part of a log that is needed here. */
type Log = (level: 'error', message: string, fields: { readonly error: string }) => void

/**
 * Runs what no caller waits for. What it throws, at once or as a rejection, is logged: it never ends the process.
 * @param lost what does not happen then, as a sentence for operators
 */
export function inBackground(log: Log, lost: string, run: () => unknown): void {
  const failed = (error: unknown) =>
    log('error', lost, { error: error instanceof Error ? error.message : String(error) })
  try {
    const running = run()
    if (running instanceof Promise) running.catch(failed)
  } catch (error) {
    failed(error)
  }
}

/** The same as a function, for timers and listeners. */
export const guarded =
  <A extends readonly unknown[]>(log: Log, lost: string, run: (...given: A) => unknown) =>
  (...given: A): void =>
    inBackground(log, lost, () => run(...given))
