import { join } from 'node:path'
import type { Log } from '../../schemas/words/log.ts'
import { sealingKey } from '../../store/sealed/sealing-key.ts'
import { type ObjectStore, openObjectStore } from '../../store/sqlite/object-store.ts'
import { openResponseStore, type ResponseStore } from '../../store/sqlite/response-store.ts'

/**
 * What is kept of earlier answers, and who keeps what was made. What cannot be opened is logged and fails when it is
 * used; everything else works.
 */
export function openAnswers(stateDirectory: string, credentialsDirectory: string | undefined, log: Log) {
  const file = join(stateDirectory, 'responses.db')

  function opened<T>(lost: string, open: () => T, without: (fail: () => never) => T): T {
    try {
      return open()
    } catch (error) {
      log('error', lost, { file, error: String(error) })
      return without(() => {
        throw new Error(`${lost}: see the log of the start`)
      })
    }
  }

  const store = opened<ResponseStore>(
    'answers cannot be kept',
    () => openResponseStore(file, sealingKey(stateDirectory, credentialsDirectory)),
    (fail) => ({ put: fail, get: fail, remove: fail, trim: fail, close: () => {} }),
  )
  const objects = opened<ObjectStore>(
    'who made which files and batches cannot be looked up',
    () => openObjectStore(file),
    (fail) => ({ put: fail, find: fail, has: fail, remove: fail, upstreamsOf: fail, close: () => {} }),
  )
  return {
    store,
    objects,
    close(): void {
      objects.close()
      store.close()
    },
  }
}
