import { type Layout, layoutSchema } from '../../../schemas/deploy/layout.ts'
import { issueLines } from '../../../schemas/words/issue.ts'
import { type Failure, failure } from '../../failure.ts'
import { readNamed } from './named-file.ts'

/**
 * Reads the file of --layout.
 * @returns undefined when none was named
 * @throws Failure with every mistake in it, each with its key
 */
export function readLayout(file: string | undefined): Layout | undefined {
  if (file === undefined) return undefined
  const value = parsed(file, readNamed(file))
  const read = layoutSchema.safeParse(value)
  if (read.success) return read.data
  throw invalid(file, issueLines(read.error, value, 'layout').join('; '))
}

function parsed(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) throw invalid(file, 'not valid JSON', error)
    throw error
  }
}

function invalid(file: string, reason: string, cause?: unknown): Failure {
  const detail = `${file}: ${reason}`
  const hint = 'docs/layout.md lists the keys; what is left out is as on Debian'
  return failure('INVALID_LAYOUT', detail, { hint, cause })
}
