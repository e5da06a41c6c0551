import { setImmediate } from 'node:timers/promises'
import type { SecretsStatus } from '../../schemas/api/secrets.ts'
import type { Log } from '../../schemas/words/log.ts'
import type { Keyring } from '../../store/sealed/keyring.ts'
import type { Resealed } from '../../store/sqlite/reseal.ts'

/** Something that holds sealed texts. `reseal` seals the next ones with the current key. */
export type SealedPart = {
  readonly name: string
  readonly reseal: (after: number, most: number) => Resealed | Promise<Resealed>
}

/** Sealed at a time, while requests wait: some 10 ms of large answers. */
const AT_A_TIME = 32

/**
 * Rotates the keys that seal. Everything in `parts` is sealed anew in the background, and then the keys before are
 * forgotten; what a kill has left half-way is gone on with by `resume`.
 */
export function createRotation(keyring: Keyring, parts: readonly SealedPart[], log: Log) {
  let running: Promise<void> | null = null
  let isStopping = false
  let counts = { sealed: 0, lost: 0 }
  let lastError: string | null = null

  async function sealAnew(): Promise<void> {
    counts = { sealed: 0, lost: 0 }
    lastError = null
    try {
      for (const part of parts) if (!(await partAnew(part))) return
      keyring.retire()
      log('info', 'everything that is sealed is sealed with the new key; the keys before it are gone', {
        count: counts.sealed,
      })
    } catch (error) {
      lastError = error instanceof Error ? error.message : String(error)
      log('error', 'what is sealed could not all be sealed anew; the keys before stay', { error: lastError })
    }
  }

  /** @returns whether it came to the end */
  async function partAnew({ name, reseal }: SealedPart): Promise<boolean> {
    let after = 0
    let lost = 0
    for (let isDone = false; !isDone; ) {
      if (isStopping) return false
      const step = await reseal(after, AT_A_TIME)
      after = step.after
      isDone = step.isDone
      lost += step.lost
      counts = { sealed: counts.sealed + step.sealed, lost: counts.lost + step.lost }
      await setImmediate()
    }
    if (lost > 0)
      log('warn', 'some of what is sealed opens with no key, and stays as it is', { part: name, count: lost })
    return true
  }

  function begin(): void {
    running ??= sealAnew().finally(() => {
      running = null
    })
  }

  /** @throws Error while the keyring does not open */
  function status(): SecretsStatus {
    const keys = keyring.keys()
    return {
      master: keyring.master(),
      keys: keys.map(({ id, madeAt }, index) => ({
        id,
        made_at: new Date(madeAt).toISOString(),
        current: index === keys.length - 1,
      })),
      rotating: running !== null,
      ...counts,
      ...(lastError !== null && { last_error: lastError }),
    }
  }

  return {
    /** Makes a new key at once, and seals everything with it in the background. @throws Error when it cannot be kept */
    rotate(): SecretsStatus {
      if (running === null) {
        keyring.rotate()
        begin()
      }
      return status()
    },
    /** Goes on with a rotation that was not finished. Nothing happens while the keyring does not open. */
    resume(): void {
      try {
        if (keyring.keys().filter(({ isFirst }) => !isFirst).length > 1) begin()
      } catch {
        // whoever uses it says why
      }
    },
    status,
    async stop(): Promise<void> {
      isStopping = true
      await running
    },
  }
}
