import { createHash } from 'node:crypto'
import type { NeutralPart, NeutralRequest } from './neutral.ts'

const HASH_CHARACTERS = 8

/** A request with names of tools that its upstream takes, and what the client calls them. */
export type NamedTools = { readonly request: NeutralRequest; readonly original: (name: string) => string }

/**
 * Gives tools whose names are too long for an upstream shorter ones: their beginning, and a hash, so that the same tool
 * has the same name in every turn. Tools of MCP servers have long names.
 * @param longest characters; undefined: as many as one likes
 */
export function shortToolNames(request: NeutralRequest, longest = Number.POSITIVE_INFINITY): NamedTools {
  const originals = new Map<string, string>()
  const short = (name: string): string => {
    if (name.length <= longest) return name
    const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_CHARACTERS)
    const shorter = `${name.slice(0, longest - HASH_CHARACTERS - 1)}_${hash}`
    originals.set(shorter, name)
    return shorter
  }
  const partOf = (part: NeutralPart): NeutralPart => (part.kind === 'call' ? { ...part, name: short(part.name) } : part)
  const { toolChoice } = request
  const named = {
    ...request,
    tools: request.tools.map((tool) => ({ ...tool, name: short(tool.name) })),
    toolChoice: toolChoice !== null && typeof toolChoice === 'object' ? { name: short(toolChoice.name) } : toolChoice,
    messages: request.messages.map((message) => ({ ...message, parts: message.parts.map(partOf) })),
  }
  return { request: originals.size === 0 ? request : named, original: (name) => originals.get(name) ?? name }
}
