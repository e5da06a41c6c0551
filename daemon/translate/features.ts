import { GateError } from '../../schemas/words/errors.ts'
import type { Feature, NeutralPart, NeutralRequest } from './neutral.ts'

/** What becomes of a feature at an upstream, and in words how; `native`: it is passed on as it is meant. */
export type Rule = { readonly does: 'native' | 'emulate' | 'drop' | 'refuse'; readonly how?: string }

/**
 * One dialect's row of a feature. `field` is how its clients name it. `loses`: whether a part of what a request asks for
 * is left out, although the feature is passed on.
 */
export type FeatureRow = Rule & {
  readonly field: string
  readonly loses?: (request: NeutralRequest, model: string) => boolean
  /** Requests for which it is emulated, although it is native for others. */
  readonly isEmulatedFor?: (request: NeutralRequest, model: string) => boolean
}
/** For stop sequences, of which an upstream takes so many. */
export const atMost = (most: number): Pick<FeatureRow, 'how' | 'loses'> => ({
  how: `the first ${most}; more are dropped`,
  loses: ({ stop }) => stop.length > most,
})

export type FeatureTable = Readonly<Record<Feature, FeatureRow>>

/** The tables of a dialect, each made when its provider is first asked for. */
export function forProviders(make: (provider: string) => FeatureTable): (provider: string) => FeatureTable {
  const made = new Map<string, FeatureTable>()
  return (provider) => {
    const table = made.get(provider) ?? make(provider)
    made.set(provider, table)
    return table
  }
}

/**
 * Looks at what a request asks of an upstream that may not be able to express it.
 * @param named how the client's dialect names each feature
 * @param model as the upstream knows it; empty: any
 * @returns the fields that are dropped, as the client named them
 * @throws GateError BAD_REQUEST, naming the field, for what may neither be dropped nor emulated
 */
export function fieldsDropped(
  request: NeutralRequest,
  named: FeatureTable,
  upstream: FeatureTable,
  model = '',
): readonly string[] {
  const dropped = new Set(request.ownFields)
  for (const feature of featuresOf(request)) {
    const { does, how, loses } = upstream[feature]
    const { field } = named[feature]
    if (does === 'refuse') {
      const message = `"${field}" (${feature}) cannot be passed on to the upstream of this model: ${how ?? 'it has no such thing'}`
      throw new GateError('BAD_REQUEST', message, { param: field })
    }
    if (does === 'drop' || loses?.(request, model) === true) dropped.add(field)
  }
  if (hasForce(request) && !isForced(request)) dropped.add(named['forced calls'].field)
  return [...dropped]
}

/** What engines take in a dialect besides text and tools; of the rest they pass over much without a word. */
const PLAIN: ReadonlySet<Feature> = new Set<Feature>([
  'answer limit',
  'temperature',
  'top p',
  'top k',
  'stop sequences',
  'thinking',
  'thinking budget',
  'earlier thinking',
  'unsigned thinking',
  'image',
  'image by URL',
  'failed tool result',
  'later instructions',
  'cache marks',
  'end user',
  'verbosity',
  'metadata',
])

/** Whether an engine whose answers have to be repaired can be trusted with a request in that dialect. */
export function isPlain(request: NeutralRequest, spoken: FeatureTable): boolean {
  const { tools, toolChoice, parallelCalls, thinking } = request
  const isFree = toolChoice === null || toolChoice === 'auto'
  if (!isFree || parallelCalls === false || thinking?.isOn === false) return false
  if (tools.some(({ freeform }) => freeform !== undefined)) return false
  const used = featuresOf({ ...request, parallelCalls: null })
  return [...used].every((feature) => PLAIN.has(feature) && isExpressed(spoken[feature]))
}

const isExpressed = ({ does }: Rule): boolean => does === 'native' || does === 'emulate'

/** Everything that a request uses and some dialect may lack. */
function featuresOf(request: NeutralRequest): ReadonlySet<Feature> {
  const { tools, toolChoice, thinking, answerForm } = request
  const used = new Set(request.features)
  const use = (feature: Feature, isUsed: boolean) => {
    if (isUsed) used.add(feature)
  }
  use('seed', request.seed !== null)
  use('penalties', Boolean(request.frequencyPenalty) || Boolean(request.presencePenalty)) // 0 is none
  use('answer limit', request.maxOutputTokens !== null)
  use('temperature', request.temperature !== null)
  use('top p', request.topP !== null)
  use('top k', request.topK !== null)
  use('stop sequences', request.stop.length > 0)
  use('JSON answers', answerForm?.kind === 'json')
  use('answer schema', answerForm?.kind === 'schema')
  use(
    'strict tools',
    tools.some(({ isStrict }) => isStrict === true),
  )
  use(
    'freeform tools',
    tools.some(({ freeform }) => freeform !== undefined),
  )
  use('parallel calls', request.parallelCalls === false) // several at once are what all do by themselves
  use('forced calls', isForced(request))
  use('forbidden calls', tools.length > 0 && toolChoice === 'none')
  use('effort', request.effort !== null)
  use('thinking', thinking?.isOn === true)
  use('no thinking', thinking?.isOn === false)
  use('thinking budget', thinking !== null && thinking.budgetTokens !== null)
  use('log probabilities', request.logprobs !== undefined)
  use('end user', request.endUser !== null)
  use('verbosity', request.verbosity !== undefined)
  use('metadata', request.metadata !== undefined)
  use('service tier', request.service !== undefined)
  let hasBegun = false
  for (const { role, parts } of request.messages) {
    use('later instructions', role === 'system' && hasBegun)
    hasBegun ||= role !== 'system'
    use('media of the model', role === 'assistant' && parts.some(({ kind }) => kind === 'media'))
    use('media in instructions', role === 'system' && parts.some(({ kind }) => kind === 'media'))
    for (const part of parts) usePart(part, use)
  }
  return used
}

/** Whether the model must call a tool. One that was left out, since its provider would run it, cannot be called. */
export function isForced(request: NeutralRequest): boolean {
  const { tools, toolChoice } = request
  if (toolChoice !== null && typeof toolChoice === 'object') return tools.some(({ name }) => name === toolChoice.name)
  return tools.length > 0 && hasForce(request)
}

/** The same request, without a force that is none. */
export const withRealForce = (request: NeutralRequest): NeutralRequest =>
  hasForce(request) && !isForced(request) ? { ...request, toolChoice: null } : request

const hasForce = ({ toolChoice }: NeutralRequest): boolean =>
  toolChoice !== null && toolChoice !== 'auto' && toolChoice !== 'none'

/** What is asked for by an address, which not everybody fetches. */
const BY_URL = { image: 'image by URL', document: 'document by URL', audio: 'audio by URL' } as const

function usePart(part: NeutralPart, use: (feature: Feature, isUsed: boolean) => void): void {
  switch (part.kind) {
    case 'reasoning':
      if (part.signedBy === 'google') use("Google's thinking", true)
      else if (part.signedBy === 'openai-responses') use("OpenAI's thinking", true)
      else if (part.signedBy === 'openrouter') use("OpenRouter's thinking", true)
      else use(part.signature === null ? 'unsigned thinking' : 'earlier thinking', true)
      break
    case 'redacted':
      use('sealed thinking', true)
      break
    case 'media':
      use(part.form, true)
      use(BY_URL[part.form], part.source.kind === 'url')
      use('image detail', part.detail !== undefined)
      use('kept file', part.source.kind === 'file')
      break
    case 'result':
      use('failed tool result', part.isError)
      for (const inner of part.parts) {
        usePart(inner, use)
        use('media in a tool result', inner.kind === 'media')
      }
      break
    case 'text':
    case 'call':
    case 'refusal':
  }
}
