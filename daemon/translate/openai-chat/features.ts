import { atMost, type FeatureTable, forProviders } from '../features.ts'
import { withModels } from '../model-traits.ts'
import { exceptionsOf } from './providers.ts'

const NONE = 'it has no such thing'
const OPENAIS_STOPS = 4

/** What OpenAI's chat completions express, and what becomes of the rest. */
const OPENAI = {
  'answer limit': { field: 'max_completion_tokens', does: 'native' },
  temperature: { field: 'temperature', does: 'native' },
  'top p': { field: 'top_p', does: 'native' },
  'top k': { field: 'top_k', does: 'drop', how: 'passed on where the provider or engine is known to take it' },
  'stop sequences': { field: 'stop', does: 'native', ...atMost(OPENAIS_STOPS) },
  seed: { field: 'seed', does: 'native' },
  penalties: { field: 'frequency_penalty, presence_penalty', does: 'native' },
  'logit bias': { field: 'logit_bias', does: 'drop', how: 'its tokens are those of another model' },
  'log probabilities': { field: 'logprobs', does: 'native' },
  'several answers': { field: 'n', does: 'refuse', how: 'one answer is translated' },
  'audio answers': { field: 'modalities', does: 'refuse', how: 'they are not translated' },
  'image answers': { field: 'modalities', does: 'refuse', how: 'they are not translated' },
  'JSON answers': { field: 'response_format', does: 'native' },
  'answer schema': { field: 'response_format', does: 'native' },
  'strict tools': { field: 'tools', does: 'native' },
  'freeform tools': { field: 'tools', does: 'native' },
  'tool namespaces': { field: 'tools', does: 'emulate', how: 'a tool is called `namespace__name`' },
  'server tools': { field: 'tools', does: 'drop', how: 'the provider of the client would run them' },
  'parallel calls': { field: 'parallel_tool_calls', does: 'native' },
  'forced calls': { field: 'tool_choice', does: 'native' },
  'forbidden calls': { field: 'tool_choice', does: 'native' },
  effort: { field: 'reasoning_effort', does: 'native' },
  thinking: { field: 'reasoning_effort', does: 'native', how: 'models that think do so by themselves' },
  'no thinking': {
    field: 'reasoning_effort',
    does: 'drop',
    how: "passed on to engines, whose model's template is told; many models refuse to be told",
  },
  'thinking budget': { field: 'reasoning_effort', does: 'drop', how: 'there is an effort, but no number of tokens' },
  'earlier thinking': {
    field: 'reasoning_content',
    does: 'drop',
    how: 'passed on where the provider or engine is known to take it',
  },
  "Google's thinking": { field: 'tool_calls', does: 'drop', how: 'Google has signed it' },
  "OpenAI's thinking": { field: 'reasoning_content', does: 'drop', how: 'OpenAI has sealed it' },
  "OpenRouter's thinking": {
    field: 'reasoning_details',
    does: 'drop',
    how: 'only OpenRouter takes it; its text goes to those that take earlier thinking',
  },
  'unsigned thinking': {
    field: 'reasoning_content',
    does: 'drop',
    how: 'passed on where the provider or engine is known to take it',
  },
  'sealed thinking': { field: 'messages', does: 'drop', how: 'only the provider that sealed it can read it' },
  image: { field: 'messages', does: 'native' },
  'image by URL': { field: 'messages', does: 'native' },
  'image detail': { field: 'messages.image_url.detail', does: 'native' },
  document: { field: 'messages', does: 'native', how: 'a text document becomes text' },
  'document by URL': { field: 'messages', does: 'refuse', how: 'it takes a document as base64 alone' },
  audio: { field: 'messages', does: 'native', how: 'WAV and MP3' },
  'audio by URL': { field: 'messages', does: 'refuse', how: 'it takes audio as base64 alone' },
  video: { field: 'messages', does: 'refuse', how: NONE },
  'search result': { field: 'messages', does: 'emulate', how: 'as text' },
  'kept file': { field: 'messages', does: 'refuse', how: 'the file is with another provider' },
  'media in a tool result': {
    field: 'messages',
    does: 'emulate',
    how: 'it follows in a message of the user, after all results',
  },
  'media in instructions': { field: 'messages', does: 'refuse', how: 'its instructions are text' },
  'media of the model': { field: 'messages', does: 'drop', how: 'what it made itself is not sent back' },
  'failed tool result': { field: 'messages', does: 'emulate', how: 'its text begins with "Error: "' },
  'later instructions': { field: 'messages', does: 'native' },
  'cache marks': {
    field: 'prompt_cache_breakpoint',
    does: 'drop',
    how: 'caches of these upstreams find prefixes themselves',
  },
  citations: { field: 'messages', does: 'drop', how: 'the text stays' },
  'end user': { field: 'user', does: 'native', how: 'an id of more than 64 characters as its SHA-256' },
  'service tier': { field: 'service_tier', does: 'native' },
  verbosity: { field: 'verbosity', does: 'native' },
  metadata: { field: 'metadata', does: 'drop', how: 'OpenAI takes it with answers that it stores' },
} as const satisfies FeatureTable

export const features = forProviders((provider) =>
  withModels(provider, { ...OPENAI, ...exceptionsOf(provider, OPENAI) }, ['effort']),
)
