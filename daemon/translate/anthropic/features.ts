import type { FeatureTable } from '../features.ts'

const GONE = 'the version of the API that Gate speaks has it no more'
const NONE = 'it has no such thing'

/** What Anthropic's messages express, and what becomes of the rest. */
const ANTHROPIC = {
  temperature: { field: 'temperature', does: 'drop', how: GONE },
  'top p': { field: 'top_p', does: 'drop', how: GONE },
  'top k': { field: 'top_k', does: 'drop', how: GONE },
  'stop sequences': { field: 'stop_sequences', does: 'native' },
  seed: { field: 'seed', does: 'drop', how: NONE },
  penalties: { field: 'frequency_penalty, presence_penalty', does: 'drop', how: NONE },
  'logit bias': { field: 'logit_bias', does: 'drop', how: NONE },
  'log probabilities': { field: 'logprobs', does: 'drop', how: NONE },
  'several answers': { field: 'n', does: 'refuse', how: 'it gives one answer' },
  'audio answers': { field: 'modalities', does: 'refuse', how: NONE },
  'image answers': { field: 'modalities', does: 'refuse', how: NONE },
  'JSON answers': { field: 'output_config', does: 'emulate', how: 'the instructions ask for a JSON object' },
  'answer schema': { field: 'output_config', does: 'native' },
  'strict tools': { field: 'tools', does: 'native' },
  'freeform tools': { field: 'tools', does: 'refuse', how: 'its tools take JSON' },
  'server tools': { field: 'tools', does: 'drop', how: 'the provider of the client would run them' },
  'parallel calls': { field: 'tool_choice', does: 'native' },
  effort: { field: 'output_config', does: 'native', how: '`minimal` becomes `low`' },
  'thinking budget': { field: 'thinking', does: 'native' },
  'earlier thinking': { field: 'messages', does: 'native' },
  "Google's thinking": { field: 'messages', does: 'drop', how: 'Google has signed it' },
  "OpenAI's thinking": { field: 'messages', does: 'drop', how: 'OpenAI has sealed it' },
  'unsigned thinking': { field: 'messages', does: 'drop', how: 'it would be refused' },
  'sealed thinking': { field: 'messages', does: 'native' },
  image: { field: 'messages', does: 'native' },
  document: { field: 'messages', does: 'native' },
  audio: { field: 'messages', does: 'refuse', how: NONE },
  'kept file': { field: 'messages', does: 'refuse', how: 'the file is with another provider' },
  'media in a tool result': { field: 'messages', does: 'native' },
  'media of the model': { field: 'messages', does: 'drop', how: 'what it made itself is not sent back' },
  'failed tool result': { field: 'messages', does: 'native' },
  'later instructions': { field: 'messages', does: 'native' },
  'cache marks': { field: 'cache_control', does: 'native' },
  citations: { field: 'citations', does: 'native' },
  'end user': { field: 'metadata', does: 'native' },
} as const satisfies FeatureTable

export const features = (): FeatureTable => ANTHROPIC
