import { pathText } from '../../schemas/spec/path.ts'
import type { ConfigFile } from '../ir/nodes/container.ts'
import type { OutputFile } from './output.ts'

/** A file that the spec itself holds, as it is, with a line break at its end. */
export function configText({ text, origin }: ConfigFile): Pick<OutputFile, 'text' | 'origins'> {
  const lines = text.endsWith('\n') ? text.slice(0, -1) : text
  return { text: `${lines}\n`, origins: lines.split('\n').map(() => pathText(origin)) }
}
