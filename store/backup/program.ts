import { once } from 'node:events'
import { packageVersion } from '../../system/version.ts'
import { type FileEntry, MANIFEST, written } from './entries.ts'
import type { Manifest } from './manifest.ts'
import { modelFiles, stateFiles, textEntry } from './state-files.ts'

// Writes the files of a state directory to standard output, as entries: `program DIRECTORY [hashes]`. It runs as the
// account that the directory belongs to, so that no file there leads a more powerful one elsewhere.
const [, , directory = '', hashes] = process.argv
process.umask(0o077) // copies of databases lie in the state directory for a moment

async function* everything(): AsyncGenerator<FileEntry> {
  const models = await modelFiles(directory, hashes === 'hashes')
  const manifest: Manifest = { version: 1, gate: packageVersion(), made_at: new Date().toISOString(), models }
  yield textEntry(MANIFEST, JSON.stringify(manifest), Date.now())
  yield* stateFiles(directory)
}

try {
  for await (const piece of written(everything())) if (!process.stdout.write(piece)) await once(process.stdout, 'drain')
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}
