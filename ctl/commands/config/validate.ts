import { text as readAll } from 'node:stream/consumers'
import type { ConfigProblem } from '../../../schemas/config/layers.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { problemLines } from '../../output/problem-lines.ts'
import { readNamed } from '../spec/named-file.ts'

export const run: Run = async (invocation) => {
  const problems = await findProblems(invocation)
  const valid = problems.length === 0
  if (invocation.json) invocation.printJson({ valid, problems })
  else if (valid) invocation.print('no problems')
  else for (const line of problems.flatMap(problemLines)) invocation.print(line)
  return valid ? 0 : 3
}

async function findProblems({ arguments: [file], admin, stdin }: Invocation): Promise<readonly ConfigProblem[]> {
  if (file === undefined) return (await admin.ask('POST /api/admin/config/validate', { body: {} })).problems
  const text = file === '-' ? await readAll(stdin) : readNamed(file)
  const { checkFile } = await import('../../../config/file-check.ts') // loads the schema, which only this needs
  return checkFile(file === '-' ? 'standard input' : file, text)
}
