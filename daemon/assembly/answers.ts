import { join } from 'node:path'
import type { Log } from '../../schemas/words/log.ts'
import type { Keyring } from '../../store/sealed/keyring.ts'
import { DATABASES } from '../../store/sqlite/database-names.ts'
import { type ObjectStore, openObjectStore } from '../../store/sqlite/object-store.ts'
import { openResponseStore, placeOf, type ResponseStore } from '../../store/sqlite/response-store.ts'
import { createTextWriter } from '../../store/sqlite/text-writer.ts'

/** What cannot be opened is tried again at its next use, after this long at the soonest. */
const TRY_AGAIN_MS = 1_000

const OTHER_KEY = 'answers were kept with a key that is not in keyring.json: they cannot be read'

/**
 * What is kept of earlier answers, and who keeps what was made. What cannot be opened is logged, fails when it is used,
 * and is tried again then; everything else works. @param monotonic milliseconds
 */
export function openAnswers(stateDirectory: string, keyring: Keyring, log: Log, monotonic: () => number) {
  const file = join(stateDirectory, DATABASES.answers)
  const parts = { file, log, monotonic }
  const store = opened('answers cannot be kept', parts, () => {
    keyring.currentId() // throws while it cannot be opened
    const made = openResponseStore(file, keyring)
    if (!made.isReadable()) log('warn', OTHER_KEY, { file })
    return made
  })
  const textFile = join(stateDirectory, DATABASES.texts)
  const texts = opened('prompts and answers cannot be kept', { ...parts, file: textFile }, () => {
    keyring.currentId()
    return openResponseStore(textFile, keyring)
  })
  const writer = createTextWriter(textFile, (bytes) => texts.use().added(bytes))
  const objects = opened('who made which files and batches cannot be looked up', parts, () => openObjectStore(file))
  return {
    store: {
      put: (...all) => store.use().put(...all),
      get: (...all) => store.use().get(...all),
      remove: (...all) => store.use().remove(...all),
      trim: (...all) => store.use().trim(...all),
      reseal: (...all) => store.use().reseal(...all),
    } satisfies Omit<ResponseStore, 'close' | 'isReadable' | 'added'>,
    texts: {
      put: (keyId, id, at, text) => {
        texts.use() // the file is there then
        writer.put({ keyId, id, at, sealed: keyring.seal(placeOf(keyId, id), text) })
      },
      get(keyId, id, since) {
        const waiting = writer.waiting(keyId, id)
        if (waiting !== undefined) return keyring.unseal(placeOf(keyId, id), Buffer.from(waiting))
        return texts.use().get(keyId, id, since)
      },
      trim: (...all) => texts.use().trim(...all),
      reseal(...all) {
        const resealed = texts.use().reseal(...all)
        // what waits may be sealed with the key before
        return writer.isWaiting() ? { ...resealed, isDone: false } : resealed
      },
    } satisfies Pick<ResponseStore, 'put' | 'get' | 'trim' | 'reseal'>,
    objects: {
      put: (...all) => objects.use().put(...all),
      find: (...all) => objects.use().find(...all),
      has: (...all) => objects.use().has(...all),
      remove: (...all) => objects.use().remove(...all),
      upstreamsOf: (...all) => objects.use().upstreamsOf(...all),
    } satisfies Omit<ObjectStore, 'close'>,
    async close(): Promise<void> {
      await writer.close()
      objects.close()
      texts.close()
      store.close()
    },
  }
}

function opened<T extends { readonly close: () => void }>(
  lost: string,
  { file, log, monotonic }: { readonly file: string; readonly log: Log; readonly monotonic: () => number },
  open: () => T,
) {
  let current: T | null = null
  let triedAt = Number.NEGATIVE_INFINITY

  function tryOpen(): T | null {
    const isFirst = triedAt === Number.NEGATIVE_INFINITY
    triedAt = monotonic()
    try {
      const made = open()
      if (!isFirst) log('info', 'what could not be opened at the start is open now', { file })
      return made
    } catch (error) {
      if (isFirst) log('error', lost, { file, error: String(error) })
      return null
    }
  }

  current = tryOpen()
  return {
    /** @throws Error while it cannot be opened */
    use(): T {
      if (current === null && monotonic() - triedAt >= TRY_AGAIN_MS) current = tryOpen()
      if (current === null) throw new Error(`${lost}: see the log of the start`)
      return current
    },
    close: () => current?.close(),
  }
}
