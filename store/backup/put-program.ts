import { BackupError } from './chunks.ts'
import { read } from './entries.ts'
import { noteWhole, putState } from './put-state.ts'

// Puts entries from standard input in place of a state directory: `put-program DIRECTORY check|all|half ASIDE`, and after
// `half`: `put-program DIRECTORY whole`. It runs as the account that the directory belongs to, so that nothing there
// leads a more powerful one elsewhere. It says "aside" when something was there before. Exit status 3: the backup is not
// usable.
const [, , directory = '', step, aside = ''] = process.argv
process.umask(0o077)

try {
  if (step === 'whole') noteWhole(directory)
  else {
    const options = { aside, checkOnly: step === 'check', isHalf: step === 'half' }
    if (await putState(directory, read(process.stdin), options)) process.stdout.write('aside')
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = error instanceof BackupError ? 3 : 1
} finally {
  process.stdin.destroy()
}
