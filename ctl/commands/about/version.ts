import { packageVersion } from '../../../system/version.ts'
import type { Invocation } from '../../invocation.ts'

export async function run({ json, print, printJson }: Pick<Invocation, 'json' | 'print' | 'printJson'>): Promise<0> {
  if (json) printJson({ version: packageVersion() })
  else print(`gatectl ${packageVersion()}`)
  return 0
}
