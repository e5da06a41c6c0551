import { atMost, type FeatureTable } from '../features.ts'
import { asksInWords } from './answer-in-words.ts'
import { MOST_STOPS } from './write-request.ts'

const NONE = 'it has no such thing'

/** What Google's generateContent expresses, and what becomes of the rest. */
const GOOGLE = {
  'answer limit': { field: 'generationConfig.maxOutputTokens', does: 'native' },
  temperature: { field: 'generationConfig.temperature', does: 'native' },
  'top p': { field: 'generationConfig.topP', does: 'native' },
  'top k': { field: 'generationConfig.topK', does: 'native' },
  'stop sequences': { field: 'generationConfig.stopSequences', does: 'native', ...atMost(MOST_STOPS) },
  seed: { field: 'generationConfig.seed', does: 'native' },
  penalties: { field: 'generationConfig.frequencyPenalty, generationConfig.presencePenalty', does: 'native' },
  'logit bias': { field: 'logit_bias', does: 'drop', how: NONE },
  'log probabilities': { field: 'generationConfig.responseLogprobs', does: 'native' },
  'several answers': { field: 'generationConfig.candidateCount', does: 'refuse', how: 'one answer is translated' },
  'audio answers': { field: 'generationConfig.responseModalities', does: 'refuse', how: 'they are not translated' },
  'image answers': { field: 'generationConfig.responseModalities', does: 'refuse', how: 'they are not translated' },
  'JSON answers': {
    field: 'generationConfig.responseMimeType',
    does: 'native',
    how: 'in words for Gemini 2 where there are tools',
    isEmulatedFor: asksInWords,
  },
  'answer schema': {
    field: 'generationConfig.responseSchema',
    does: 'native',
    how: 'as `responseJsonSchema`, without the keywords that Google does not know; in words for Gemini 2 where there are tools',
    isEmulatedFor: asksInWords,
  },
  'strict tools': { field: 'tools', does: 'drop', how: NONE },
  'freeform tools': { field: 'tools', does: 'emulate', how: 'a function takes the text as `input`' },
  'tool namespaces': { field: 'tools', does: 'emulate', how: 'a function is called `namespace__name`' },
  'server tools': { field: 'tools', does: 'drop', how: 'the provider of the client would run them' },
  'parallel calls': { field: 'toolConfig', does: 'drop', how: 'the model may always call several at once' },
  'forced calls': { field: 'toolConfig', does: 'native' },
  'forbidden calls': { field: 'toolConfig', does: 'native' },
  effort: {
    field: 'generationConfig.thinkingConfig',
    does: 'native',
    how: 'as a level, the highest of which is `HIGH`; as a budget for Gemini 2',
  },
  thinking: { field: 'generationConfig.thinkingConfig', does: 'native' },
  'no thinking': {
    field: 'generationConfig.thinkingConfig',
    does: 'native',
    how: 'as the least that the model can do with',
  },
  'thinking budget': {
    field: 'generationConfig.thinkingConfig',
    does: 'native',
    how: 'within what models of Gemini 2 take',
  },
  'earlier thinking': { field: 'contents', does: 'drop', how: 'another provider has signed it' },
  "Google's thinking": { field: 'contents', does: 'native', how: 'as `thoughtSignature` of the call after it' },
  "OpenAI's thinking": { field: 'contents', does: 'drop', how: 'OpenAI has sealed it' },
  "OpenRouter's thinking": { field: 'contents', does: 'drop', how: 'OpenRouter has signed it' },
  'unsigned thinking': { field: 'contents', does: 'drop', how: 'it need not come back' },
  'sealed thinking': { field: 'contents', does: 'drop', how: 'only the provider that sealed it can read it' },
  image: { field: 'contents', does: 'native' },
  'image by URL': { field: 'contents', does: 'native', how: 'its type is that of its name' },
  'image detail': { field: 'contents', does: 'drop', how: 'not all of its models have it' },
  document: { field: 'contents', does: 'native' },
  'document by URL': { field: 'contents', does: 'native', how: 'its type is that of its name' },
  audio: { field: 'contents', does: 'native' },
  'audio by URL': { field: 'contents', does: 'native', how: 'its type is that of its name' },
  video: { field: 'contents', does: 'native' },
  'search result': { field: 'contents', does: 'emulate', how: 'as text' },
  'kept file': { field: 'contents', does: 'refuse', how: 'the file is with another provider' },
  'media in a tool result': {
    field: 'contents',
    does: 'emulate',
    how: 'it follows in the same turn, after all results',
  },
  'media in instructions': { field: 'systemInstruction', does: 'refuse', how: 'its instructions are text' },
  'media of the model': { field: 'contents', does: 'drop', how: 'what it made itself is not sent back' },
  'failed tool result': { field: 'contents', does: 'native', how: 'as `error` of the response' },
  'later instructions': { field: 'systemInstruction', does: 'emulate', how: 'as what the user says' },
  'cache marks': { field: 'cachedContent', does: 'drop', how: 'its caches find prefixes themselves' },
  citations: { field: 'contents', does: 'drop', how: 'the text stays' },
  'end user': { field: 'labels', does: 'drop', how: NONE },
  'service tier': { field: 'serviceTier', does: 'native' },
  verbosity: { field: 'verbosity', does: 'drop', how: NONE },
  metadata: { field: 'metadata', does: 'drop', how: NONE },
} as const satisfies FeatureTable

export const features = (): FeatureTable => GOOGLE
