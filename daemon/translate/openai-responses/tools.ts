import { freeformTool } from '../freeform.ts'
import { booleanIn, isRecord, type JsonRecord, recordsIn, textIn } from '../json-value.ts'
import type { Feature, NeutralRequest, NeutralTool } from '../neutral.ts'
import { toolSchemaOf } from '../tool-schema.ts'

/** How a client knows a tool that has one name in the neutral form. */
export type ToolName = { readonly name: string; readonly namespace: string | null; readonly isFreeform: boolean }

/** Longer names are refused by providers. */
const LONGEST_NAME = 64

/** The tools of a client: as other dialects know them, and by their names there, as the client knows them. */
export function readTools(
  tools: unknown,
  features: Set<Feature> = new Set(),
): { readonly tools: readonly NeutralTool[]; readonly names: ReadonlyMap<string, ToolName> } {
  const read: NeutralTool[] = []
  const names = new Map<string, ToolName>()
  const add = (tool: JsonRecord, namespace: string | null, about: unknown = null) => {
    const name = textIn(tool['name']) ?? ''
    const flat = flatName(namespace, name)
    const isFreeform = tool['type'] === 'custom'
    names.set(flat, { name, namespace, isFreeform })
    const said = [about, tool['description']].filter((text) => typeof text === 'string' && text !== '')
    const description = said.length === 0 ? null : said.join('\n\n')
    read.push(isFreeform ? freeformTool(flat, description, tool['format']) : functionTool(flat, description, tool))
  }
  for (const tool of recordsIn(tools)) {
    if (isOwnTool(tool)) add(tool, null)
    else if (tool['type'] === 'namespace') {
      features.add('tool namespaces')
      // what is said of the namespace is said with its first tool
      for (const [index, inner] of recordsIn(tool['tools']).filter(isOwnTool).entries()) {
        add(inner, textIn(tool['name']), index === 0 ? tool['description'] : null)
      }
    } else features.add('server tools')
  }
  return { tools: read, names }
}

/** Whether the client itself runs a tool, and describes it. */
const isOwnTool = ({ type }: JsonRecord): boolean => type === 'function' || type === 'custom'

function functionTool(name: string, description: string | null, tool: JsonRecord): NeutralTool {
  return {
    name,
    description,
    schema: toolSchemaOf(tool['parameters']),
    isStrict: booleanIn(tool['strict']),
  }
}

/** The name of a tool in a namespace, for dialects that have none. The same for the same two names, in any request. */
export function flatName(namespace: string | null, name: string): string {
  if (namespace === null || namespace === '') return name
  const flat = namespace.endsWith('__') ? namespace + name : `${namespace}__${name}`
  if (flat.length <= LONGEST_NAME) return flat
  const digest = hashOf(flat)
  return `${flat.slice(0, LONGEST_NAME - digest.length - 1)}_${digest}`
}

/** FNV-1a, in hexadecimal. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}

/** Which of its tools the client wants used. */
export function readChoice(
  choice: unknown,
  tools: readonly NeutralTool[],
): Pick<NeutralRequest, 'tools' | 'toolChoice'> {
  if (choice === 'auto' || choice === 'none') return { tools, toolChoice: choice }
  if (choice === 'required') return { tools, toolChoice: 'any' }
  if (!isRecord(choice)) return { tools, toolChoice: null }
  if (choice['type'] === 'function' || choice['type'] === 'custom') {
    return { tools, toolChoice: { name: flatName(textIn(choice['namespace']), textIn(choice['name']) ?? '') } }
  }
  if (choice['type'] !== 'allowed_tools') return { tools, toolChoice: null } // one that its provider would run
  const names = new Set(
    recordsIn(choice['tools']).map((tool) => flatName(textIn(tool['namespace']), textIn(tool['name']) ?? '')),
  )
  return {
    tools: tools.filter(({ name }) => names.has(name)),
    toolChoice: choice['mode'] === 'required' ? 'any' : 'auto',
  }
}
