import { newIdentity } from '../../store/backup/lock.ts'
import { replaceFiles } from '../../system/replace-files.ts'

/** Makes the files `identity`, mode 0600, which opens backups, and `recipient`, which locks them. */
export function makeKeyPair(files: { readonly identity: string; readonly recipient: string }): void {
  const { identity, recipient } = newIdentity()
  replaceFiles(
    [
      { file: files.identity, text: identity, mode: 0o600 },
      { file: files.recipient, text: recipient, mode: 0o644 },
    ],
    { links: 'replace' },
  )
}
