import type { Surroundings } from '../surroundings.ts'

/** The process that gatectl runs in. It ends as soon as its output cannot be written. */
export function ownProcess(): Surroundings {
  process.stdout.on('error', stopWhenReaderLeft)
  process.stderr.on('error', () => process.exit(1)) // the reason cannot be printed either
  const { env, stdin, stdout, stderr } = process
  return { env, stdin, stdout, stderr, isRoot: process.getuid?.() === 0 }
}

/** `gatectl logs | head` is not a failure: the reader has enough. A full disk is one. */
function stopWhenReaderLeft(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0)
  process.stderr.write(`gatectl: cannot write the output: ${error.message}\n`)
  process.exit(1)
}
