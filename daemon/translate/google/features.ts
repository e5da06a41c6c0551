import type { FeatureTable } from '../features.ts'

const NONE = 'it has no such thing'

/** What Google's generateContent expresses, and what becomes of the rest. */
const GOOGLE = {
  temperature: { field: 'generationConfig.temperature', does: 'native' },
  'top p': { field: 'generationConfig.topP', does: 'native' },
  'top k': { field: 'generationConfig.topK', does: 'native' },
  'stop sequences': { field: 'generationConfig.stopSequences', does: 'native' },
  seed: { field: 'generationConfig.seed', does: 'native' },
  penalties: { field: 'generationConfig.frequencyPenalty, generationConfig.presencePenalty', does: 'native' },
  'logit bias': { field: 'logit_bias', does: 'drop', how: NONE },
  'log probabilities': { field: 'generationConfig.responseLogprobs', does: 'native' },
  'several answers': { field: 'generationConfig.candidateCount', does: 'refuse', how: 'one answer is translated' },
  'audio answers': { field: 'generationConfig.responseModalities', does: 'refuse', how: 'they are not translated' },
  'image answers': { field: 'generationConfig.responseModalities', does: 'refuse', how: 'they are not translated' },
  'JSON answers': { field: 'generationConfig.responseMimeType', does: 'native' },
  'answer schema': {
    field: 'generationConfig.responseSchema',
    does: 'native',
    how: 'as `responseJsonSchema`, without the keywords that Google does not know',
  },
  'strict tools': { field: 'tools', does: 'drop', how: NONE },
  'freeform tools': { field: 'tools', does: 'refuse', how: 'its tools take JSON' },
  'server tools': { field: 'tools', does: 'drop', how: 'the provider of the client would run them' },
  'parallel calls': { field: 'toolConfig', does: 'drop', how: 'the model may always call several at once' },
  effort: {
    field: 'generationConfig.thinkingConfig',
    does: 'native',
    how: 'as a level; as a budget for Gemini 2',
  },
  'thinking budget': { field: 'generationConfig.thinkingConfig', does: 'native' },
  'earlier thinking': { field: 'contents', does: 'drop', how: 'another provider has signed it' },
  "Google's thinking": { field: 'contents', does: 'native', how: 'as `thoughtSignature` of the call after it' },
  "OpenAI's thinking": { field: 'contents', does: 'drop', how: 'OpenAI has sealed it' },
  'unsigned thinking': { field: 'contents', does: 'drop', how: 'it need not come back' },
  'sealed thinking': { field: 'contents', does: 'drop', how: 'only the provider that sealed it can read it' },
  image: { field: 'contents', does: 'native' },
  document: { field: 'contents', does: 'native' },
  audio: { field: 'contents', does: 'native' },
  'kept file': { field: 'contents', does: 'refuse', how: 'the file is with another provider' },
  'media in a tool result': {
    field: 'contents',
    does: 'emulate',
    how: 'it follows in the same turn, after all results',
  },
  'media of the model': { field: 'contents', does: 'drop', how: 'what it made itself is not sent back' },
  'failed tool result': { field: 'contents', does: 'native', how: 'as `error` of the response' },
  'later instructions': { field: 'systemInstruction', does: 'emulate', how: 'as what the user says' },
  'cache marks': { field: 'cachedContent', does: 'drop', how: 'its caches find prefixes themselves' },
  citations: { field: 'contents', does: 'drop', how: 'the text stays' },
  'end user': { field: 'labels', does: 'drop', how: NONE },
} as const satisfies FeatureTable

export const features = (): FeatureTable => GOOGLE
