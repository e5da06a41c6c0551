import type { FeatureTable } from '../features.ts'

const NONE = 'it has no such thing'

/** What Ollama's API expresses, and what becomes of the rest. */
const OLLAMA = {
  temperature: { field: 'options.temperature', does: 'native' },
  'top p': { field: 'options.top_p', does: 'native' },
  'top k': { field: 'options.top_k', does: 'native' },
  'stop sequences': { field: 'options.stop', does: 'native' },
  seed: { field: 'options.seed', does: 'native' },
  penalties: { field: 'options.frequency_penalty, options.presence_penalty', does: 'native' },
  'logit bias': { field: 'logit_bias', does: 'drop', how: NONE },
  'log probabilities': { field: 'logprobs', does: 'native' },
  'several answers': { field: 'n', does: 'refuse', how: 'it gives one answer' },
  'audio answers': { field: 'modalities', does: 'refuse', how: NONE },
  'image answers': { field: 'modalities', does: 'refuse', how: NONE },
  'JSON answers': { field: 'format', does: 'native' },
  'answer schema': { field: 'format', does: 'native' },
  'strict tools': { field: 'tools', does: 'drop', how: NONE },
  'freeform tools': { field: 'tools', does: 'refuse', how: 'its tools take JSON' },
  'server tools': { field: 'tools', does: 'drop', how: 'the provider of the client would run them' },
  'parallel calls': { field: 'tools', does: 'drop', how: 'the model may always call several at once' },
  effort: { field: 'think', does: 'native', how: 'as low, medium or high' },
  'thinking budget': { field: 'think', does: 'drop', how: 'there is an effort, but no number of tokens' },
  'earlier thinking': { field: 'messages', does: 'native', how: 'as `thinking`, without its signature' },
  "Google's thinking": { field: 'messages', does: 'drop', how: 'Google has signed it' },
  "OpenAI's thinking": { field: 'messages', does: 'drop', how: 'OpenAI has sealed it' },
  'unsigned thinking': { field: 'messages', does: 'native', how: 'as `thinking`' },
  'sealed thinking': { field: 'messages', does: 'drop', how: 'only the provider that sealed it can read it' },
  image: { field: 'messages', does: 'native' },
  document: { field: 'messages', does: 'refuse', how: NONE },
  audio: { field: 'messages', does: 'refuse', how: NONE },
  'kept file': { field: 'messages', does: 'refuse', how: 'the file is with another provider' },
  'media in a tool result': { field: 'messages', does: 'emulate', how: 'it follows in a message of the user' },
  'media of the model': { field: 'messages', does: 'drop', how: 'what it made itself is not sent back' },
  'failed tool result': { field: 'messages', does: 'emulate', how: 'its text begins with "Error: "' },
  'later instructions': { field: 'messages', does: 'native' },
  'cache marks': { field: 'messages', does: 'drop', how: 'it finds prefixes itself' },
  citations: { field: 'messages', does: 'drop', how: 'the text stays' },
  'end user': { field: 'user', does: 'drop', how: NONE },
} as const satisfies FeatureTable

export const features = (): FeatureTable => OLLAMA
