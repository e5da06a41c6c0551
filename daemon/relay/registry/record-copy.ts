import type { Log } from '../../../schemas/words/log.ts'
import type { createMemory } from './memory.ts'
import { readRecords, writeRecords } from './record-file.ts'

const SAVE_AFTER_MS = 1_000

/**
 * A copy on the disk of what is known of a store that may be lost: for a start without it. Leased keys are not in it, and
 * it is not written when nothing else has changed.
 */
export function openRecordCopy(file: string, memory: ReturnType<typeof createMemory>, log: Log) {
  let savedAt = 0
  let timer: NodeJS.Timeout | undefined
  let saving: Promise<void> = Promise.resolve()
  memory.restore(recordsOf(file, log))

  async function save(): Promise<void> {
    const changes = memory.changes()
    if (changes === savedAt) return
    try {
      await writeRecords(file, memory.revision(), memory.stored, memory.leased)
      savedAt = changes
    } catch (error) {
      log('warn', 'the copy of the registry cannot be written', { file, error: String(error) })
    }
  }

  function saveNow(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    saving = saving.then(save)
    return saving
  }

  return {
    /** Something has changed, of whatever kind. */
    touch(): void {
      if (memory.changes() !== savedAt) timer ??= setTimeout(() => void saveNow(), SAVE_AFTER_MS).unref()
    },
    /** Never rejects. */
    save: saveNow,
  }
}

/** What an earlier run left; a copy that is damaged is as good as none. */
function recordsOf(file: string, log: Log): ReturnType<typeof readRecords>['records'] {
  try {
    return readRecords(file).records
  } catch (error) {
    log('warn', 'the copy of the registry cannot be read', { file, error: String(error) })
    return new Map()
  }
}
