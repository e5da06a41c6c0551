import { parentPort, workerData } from 'node:worker_threads'
import { openAnswersFile } from './answers-file.ts'
import { RESPONSE_SCHEMA } from './response-store.ts'
import type { SealedText, Written } from './text-writer.ts'

// Writes sealed texts, as a thread of the daemon, one after the other.
const { file } = workerData as { readonly file: string }
const database = openAnswersFile(file, RESPONSE_SCHEMA)
const put = database.prepare('INSERT OR REPLACE INTO response (key_id, id, created_at, sealed) VALUES (?, ?, ?, ?)')

parentPort?.on('message', ({ keyId, id, at, sealed }: SealedText) => {
  const answer = (error: string | null) => parentPort?.postMessage({ error } satisfies Written)
  try {
    put.run(keyId, id, at, sealed)
    answer(null)
  } catch (error) {
    answer(error instanceof Error ? error.message : String(error))
  }
})
