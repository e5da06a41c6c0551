import type { FeatureRow, FeatureTable } from './features.ts'
import { EFFORTS, type Feature, type NeutralRequest } from './neutral.ts'

// What the models of one provider take differs, and it refuses what one does not. Their names say which they are.

const SAMPLING = ['temperature', 'top p', 'penalties', 'stop sequences', 'log probabilities'] as const
type Sampling = (typeof SAMPLING)[number]

/** `rests`: they think only where an effort is asked for, and take everything where they do not. */
type Refusal = { readonly is: RegExp; readonly refused: readonly Sampling[]; readonly rests?: true }

/** The efforts of models, from least to most; none: they take no word of it. */
type Levels = readonly [is: RegExp, levels: readonly string[]]

type Traits = { readonly refusals: readonly Refusal[]; readonly levels: readonly Levels[] }

/**
 * A dot or a digit after a version makes it another one. `-chat` is said of models that do not think.
 * https://platform.openai.com/docs/guides/reasoning, https://platform.openai.com/docs/models
 */
const OPENAI: Traits = {
  refusals: [
    { is: /^gpt-5\.[124](?!\d)(?!.*(?:codex|pro))(?!.*-chat(?:-|$))/, refused: SAMPLING, rests: true },
    { is: /^(?:o[1-9]|codex|gpt-(?:[5-9]|[12]\d)(?!\d)(?!.*-chat(?:-|$)))/, refused: SAMPLING },
  ],
  levels: [
    [/^(?:gpt-[34]|chatgpt)|^gpt-.*-chat(?:-|$)/, []],
    [/^gpt-5-pro/, ['high']],
    [/^gpt-5\.\d+-pro/, ['medium', 'high', 'xhigh']],
    [/^gpt-5\.1-codex-mini/, ['medium', 'high']],
    [/^gpt-5(?:\.1)?-codex(?!-max)/, ['low', 'medium', 'high']],
    [/^gpt-5\.\d+.*codex/, ['low', 'medium', 'high', 'xhigh']],
    [/^gpt-5(?![\d.])/, ['minimal', 'low', 'medium', 'high']],
    [/^gpt-5\.1(?!\d)/, ['none', 'low', 'medium', 'high']],
    [/^gpt-5\.[2-5](?!\d)/, ['none', 'low', 'medium', 'high', 'xhigh']],
    [/^(?:o[1-9]|codex)/, ['low', 'medium', 'high']],
  ],
}

const TRAITS: Readonly<Record<string, Traits>> = {
  openai: OPENAI,
  azure: OPENAI,
  // https://docs.x.ai/developers/model-capabilities/text/reasoning
  xai: {
    refusals: [
      { is: /non-reasoning/, refused: ['penalties'] },
      { is: /^grok-(?:3-mini|[4-9]|\d\d|code|build)/, refused: ['penalties', 'stop sequences'] },
    ],
    levels: [
      [/^grok-3-mini/, ['low', 'high']],
      [/^grok-4\.20-multi-agent/, ['low', 'medium', 'high', 'xhigh']],
      [/^grok-(?:3|4(?:$|-)|4\.20|code)/, []],
      [/^grok-4\.3/, ['none', 'low', 'medium', 'high']],
      [/^grok-4\.[4-9]/, ['low', 'medium', 'high']],
    ],
  },
  // https://platform.kimi.ai/docs/guide/migrating-from-openai-to-kimi
  moonshot: {
    refusals: [{ is: /^kimi-k(?:2\.[5-9]|[3-9])/, refused: ['temperature', 'top p', 'penalties'] }],
    levels: [],
  },
  // https://console.groq.com/docs/reasoning
  groq: {
    refusals: [],
    levels: [
      [/gpt-oss/, ['low', 'medium', 'high']],
      [/^/, []],
    ],
  },
}
const NONE: Traits = { refusals: [], levels: [] }

const traitsOf = (provider: string): Traits => (Object.hasOwn(TRAITS, provider) ? (TRAITS[provider] ?? NONE) : NONE)

/** One that was trained on is named after the model that it was made of. */
const baseOf = (model: string): string => model.replace(/^ft:/, '')

const ORDER: readonly string[] = ['none', ...EFFORTS]

/**
 * The word that a model has for an effort that is asked for: that, or the next higher, or its highest.
 * @returns null: it takes none
 */
export function levelOf(provider: string, model: string, effort: string): string | null {
  const levels = traitsOf(provider).levels.find(([is]) => is.test(baseOf(model)))?.[1]
  if (levels === undefined) return effort
  const asked = ORDER.indexOf(effort)
  return levels.find((level) => ORDER.indexOf(level) >= asked) ?? levels.at(-1) ?? null
}

/** How tokens are chosen and ended is not for clients to say with every model, least while it thinks. */
function refusedBy(provider: string, model: string, { effort }: NeutralRequest): readonly Sampling[] {
  const found = traitsOf(provider).refusals.find(({ is }) => is.test(baseOf(model)))
  return found === undefined || (found.rests === true && effort === null) ? [] : found.refused
}

/** A request without what its model refuses. */
export function asModelTakes(request: NeutralRequest, provider: string, model: string): NeutralRequest {
  const refused = refusedBy(provider, model, request)
  if (refused.length === 0) return request
  const { logprobs, ...rest } = request
  return {
    ...rest,
    ...(logprobs !== undefined && !refused.includes('log probabilities') && { logprobs }),
    ...(refused.includes('temperature') && { temperature: null }),
    ...(refused.includes('top p') && { topP: null }),
    ...(refused.includes('penalties') && { frequencyPenalty: null, presencePenalty: null }),
    ...(refused.includes('stop sequences') && { stop: [] }),
  }
}

/**
 * The rows of a dialect's features with what models of a provider do not take.
 * @param usual what is said of any model
 * @param efforts what a model is told with an effort
 */
export function withModels(provider: string, usual: FeatureTable, efforts: readonly Feature[]): FeatureTable {
  const { refusals, levels } = traitsOf(provider)
  const isRefused = (feature: Sampling) => refusals.some(({ refused }) => refused.includes(feature))
  const sampling = SAMPLING.filter(isRefused).map((feature) =>
    losing(usual, feature, 'dropped for models that refuse it', (request, model) =>
      refusedBy(provider, model, request).includes(feature),
    ),
  )
  const thinking = (levels.length > 0 ? efforts : []).map((feature) => {
    const nearest = feature === 'effort' ? 'the nearest that the model has; ' : ''
    return losing(
      usual,
      feature,
      `${nearest}dropped for models that take none`,
      (_, model) => levelOf(provider, model, 'medium') === null,
    )
  })
  return { ...usual, ...Object.fromEntries([...sampling, ...thinking]) }
}

/** A row with one more reason to lose what is asked for; one that loses it anyway stays as it is. */
function losing(
  usual: FeatureTable,
  feature: Feature,
  why: string,
  isLost: NonNullable<FeatureRow['loses']>,
): readonly [Feature, FeatureRow] {
  const { how, loses, ...row } = usual[feature]
  if (row.does === 'drop') return [feature, usual[feature]]
  const said = [how, why].filter((text) => text !== undefined).join('; ')
  return [
    feature,
    { ...row, how: said, loses: (request, model) => isLost(request, model) || loses?.(request, model) === true },
  ]
}
