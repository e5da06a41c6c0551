import { createHash } from 'node:crypto'
import type { NeutralPart, NeutralRequest } from './neutral.ts'

const HASH_CHARACTERS = 8

/** Which names of tools the upstreams of a dialect take. `longest` in characters. */
export type ToolNames = { readonly longest: number; readonly form: RegExp }

/** A request with names of tools that its upstream takes, and what the client calls them. */
export type NamedTools = { readonly request: NeutralRequest; readonly original: (name: string) => string }

/**
 * Gives tools whose names an upstream does not take other ones: their beginning in letters that all take, and a hash, so
 * that the same tool has the same name in every turn. Tools of MCP servers have long names, and such as `server.tool`.
 * @param taken absent: any name
 */
export function takenToolNames(request: NeutralRequest, taken?: ToolNames): NamedTools {
  const originals = new Map<string, string>()
  const fitting = (name: string): string => {
    if (taken === undefined || name === '' || (name.length <= taken.longest && taken.form.test(name))) return name
    const plain = name.replace(/[^\w-]/g, '_').replace(/^(?![A-Za-z_])/, '_')
    const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_CHARACTERS)
    const other = `${plain.slice(0, taken.longest - HASH_CHARACTERS - 1)}_${hash}`
    originals.set(other, name)
    return other
  }
  const partOf = (part: NeutralPart): NeutralPart =>
    part.kind === 'call' ? { ...part, name: fitting(part.name) } : part
  const { toolChoice } = request
  const named = {
    ...request,
    tools: request.tools.map((tool) => ({ ...tool, name: fitting(tool.name) })),
    toolChoice: toolChoice !== null && typeof toolChoice === 'object' ? { name: fitting(toolChoice.name) } : toolChoice,
    messages: request.messages.map((message) => ({ ...message, parts: message.parts.map(partOf) })),
  }
  return { request: originals.size === 0 ? request : named, original: (name) => originals.get(name) ?? name }
}
