import { providerRow } from '../../../schemas/words/providers.ts'
import { type FeatureTable, forProviders } from '../features.ts'
import { withModels } from '../model-traits.ts'

const NONE = 'it has no such thing'

/** What OpenAI's responses express, and what becomes of the rest. */
const RESPONSES = {
  'answer limit': { field: 'max_output_tokens', does: 'native', how: 'OpenAI takes no fewer than 16' },
  temperature: { field: 'temperature', does: 'native' },
  'top p': { field: 'top_p', does: 'native' },
  'top k': { field: 'top_k', does: 'drop', how: NONE },
  'stop sequences': { field: 'stop', does: 'drop', how: NONE },
  seed: { field: 'seed', does: 'drop', how: NONE },
  penalties: { field: 'frequency_penalty, presence_penalty', does: 'drop', how: NONE },
  'logit bias': { field: 'logit_bias', does: 'drop', how: NONE },
  'log probabilities': { field: 'top_logprobs', does: 'native' },
  'several answers': { field: 'n', does: 'refuse', how: 'it gives one answer' },
  'audio answers': { field: 'modalities', does: 'refuse', how: NONE },
  'image answers': { field: 'tools', does: 'refuse', how: 'they are not translated' },
  'JSON answers': { field: 'text', does: 'native' },
  'answer schema': { field: 'text', does: 'native' },
  'strict tools': { field: 'tools', does: 'native' },
  'freeform tools': { field: 'tools', does: 'native' },
  'tool namespaces': { field: 'tools', does: 'emulate', how: 'a tool is called `namespace__name`' },
  'server tools': { field: 'tools', does: 'drop', how: 'the provider of the client would run them' },
  'parallel calls': { field: 'parallel_tool_calls', does: 'native' },
  'forced calls': { field: 'tool_choice', does: 'native' },
  'forbidden calls': { field: 'tool_choice', does: 'native' },
  effort: { field: 'reasoning', does: 'native' },
  thinking: { field: 'reasoning', does: 'native' },
  'no thinking': { field: 'reasoning', does: 'native', how: 'as the effort `none`, or the least that the model has' },
  'thinking budget': { field: 'reasoning', does: 'drop', how: 'there is an effort, but no number of tokens' },
  'earlier thinking': { field: 'input', does: 'drop', how: 'another provider has signed it' },
  "Google's thinking": { field: 'input', does: 'drop', how: 'Google has signed it' },
  "OpenAI's thinking": { field: 'input', does: 'native' },
  "OpenRouter's thinking": { field: 'input', does: 'drop', how: 'OpenRouter has signed it' },
  'unsigned thinking': { field: 'input', does: 'drop', how: 'it would be refused' },
  'sealed thinking': { field: 'input', does: 'drop', how: 'only the provider that sealed it can read it' },
  image: { field: 'input', does: 'native' },
  'image by URL': { field: 'input', does: 'native' },
  'image detail': { field: 'input.detail', does: 'native' },
  document: { field: 'input', does: 'native' },
  'document by URL': { field: 'input', does: 'native' },
  audio: { field: 'input', does: 'refuse', how: NONE },
  'audio by URL': { field: 'input', does: 'refuse', how: NONE },
  video: { field: 'input', does: 'refuse', how: NONE },
  'search result': { field: 'input', does: 'emulate', how: 'as text' },
  'kept file': { field: 'input', does: 'refuse', how: 'the file is with another provider' },
  'media in a tool result': { field: 'input', does: 'native' },
  'media in instructions': { field: 'input', does: 'native' },
  'media of the model': { field: 'input', does: 'drop', how: 'what it made itself is not sent back' },
  'failed tool result': { field: 'input', does: 'emulate', how: 'its text begins with "Error: "' },
  'later instructions': { field: 'input', does: 'native' },
  'cache marks': { field: 'prompt_cache_breakpoint', does: 'drop', how: 'its cache finds prefixes itself' },
  citations: { field: 'input', does: 'drop', how: 'the text stays' },
  'end user': { field: 'safety_identifier', does: 'native', how: 'an id of more than 64 characters as its SHA-256' },
  'service tier': { field: 'service_tier', does: 'native' },
  verbosity: { field: 'text.verbosity', does: 'native' },
  metadata: { field: 'metadata', does: 'native' },
} as const satisfies FeatureTable

/** What becomes of the rest where fields that are not known are refused. */
const STRICT = {
  'log probabilities': { field: 'top_logprobs', does: 'drop', how: NONE },
  'JSON answers': { field: 'response_format', does: 'native' },
  'answer schema': { field: 'response_format', does: 'native' },
  'freeform tools': { field: 'tools', does: 'refuse', how: 'its tools take JSON' },
  'end user': { field: 'safety_identifier', does: 'drop', how: NONE },
  document: { field: 'input', does: 'refuse', how: NONE },
  verbosity: { field: 'text.verbosity', does: 'drop', how: NONE },
  metadata: { field: 'metadata', does: 'drop', how: NONE },
} as const satisfies Partial<FeatureTable>

export const features = forProviders((provider) =>
  withModels(provider, providerRow(provider).isStrict === true ? { ...RESPONSES, ...STRICT } : RESPONSES, [
    'effort',
    'thinking',
  ]),
)
