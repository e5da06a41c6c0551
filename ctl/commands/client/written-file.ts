import { setInFlat } from '../../../syntax/flat/set.ts'
import { mergeIntoJson } from '../../../syntax/json/merge.ts'
import { type Edit, setInToml } from '../../../syntax/toml/edit.ts'
import { readToml } from '../../../syntax/toml/read.ts'
import { leafPaths, type Path, type Tree, valueAt, withoutValues } from '../../../syntax/tree.ts'
import type { ClientFile } from './clients.ts'

/** The text of a client's file with what concerns the gateway in it. @param before its text now, empty for a new one */
export function withGateway(before: string, file: ClientFile): Edit {
  switch (file.format) {
    case 'json':
      if ('isWhole' in file) return { kind: 'edited', text: `${JSON.stringify(file.values, null, 2)}\n` }
      return mergeIntoJson(before, file.values, file.own)
    case 'toml':
      return mergeIntoToml(before, file.values, file.own)
    case 'env':
    case 'yaml':
      return setInFlat(before, file.format, file.values)
  }
}

function mergeIntoToml(before: string, values: Tree, own: readonly Path[] = []): Edit {
  const read = readToml(before)
  if ('reason' in read) return { kind: 'refused', reason: `line ${read.line} of it is not valid TOML: ${read.reason}` }
  let edit: Edit = { kind: 'edited', text: before }
  // values at the top come before the first table
  for (const path of [...leafPaths(withoutValues(values, own)), ...own]) {
    if (edit.kind === 'refused') return edit
    edit = setInToml(edit.text, path, valueAt(values, path))
  }
  return edit
}
