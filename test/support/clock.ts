import { renameSync, writeFileSync } from 'node:fs'
import { hasProgram, run } from './programs.ts'

/** Debian's package faketime. */
export const hasFaketime = hasProgram('faketime')

/** A clock of programs that can be set while they run; the monotonic one goes on, as with a real clock that is set. */
export function settableClock(file: string) {
  const set = (offset: string) => {
    writeFileSync(`${file}.new`, `${offset}\n`)
    renameSync(`${file}.new`, file)
  }
  set('+0')
  return {
    /** Of the programs. */
    env: {
      LD_PRELOAD: /^LD_PRELOAD=(.*)$/m.exec(run('faketime', ['-f', '+0', 'env']))?.[1] ?? '',
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    /** @param offset from the true time, such as `-3d`; known to the programs within a second */
    set,
  }
}
