import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory for one test. Texts are read and written as Latin-1, so that any byte survives. */
export function temporaryDirectory() {
  const path = mkdtempSync(join(tmpdir(), 'gate-test-'))
  return {
    path,
    file: (name: string) => join(path, name),
    read: (name: string) => readFileSync(join(path, name), 'latin1'),
    write: (name: string, text: string) => writeFileSync(join(path, name), text, 'latin1'),
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}
