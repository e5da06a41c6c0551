import type { FeatureTable } from '../features.ts'
import { isBlank } from './limits.ts'
import { mayThink } from './thinking.ts'

const FITTED = 'its objects take no other keys, and bounds that Anthropic does not know are said in descriptions'
const GONE = 'the version of the API that Gate speaks has it no more'
const NONE = 'it has no such thing'

/** What Anthropic's messages express, and what becomes of the rest. */
const ANTHROPIC = {
  'answer limit': {
    field: 'max_tokens',
    does: 'native',
    how: 'without one 32000, or the longest answer of an older model: it must be said',
  },
  temperature: { field: 'temperature', does: 'drop', how: GONE },
  'top p': { field: 'top_p', does: 'drop', how: GONE },
  'top k': { field: 'top_k', does: 'drop', how: GONE },
  'stop sequences': {
    field: 'stop_sequences',
    does: 'native',
    how: 'those of white space alone are dropped: it refuses them',
    loses: ({ stop }) => stop.some(isBlank),
  },
  seed: { field: 'seed', does: 'drop', how: NONE },
  penalties: { field: 'frequency_penalty, presence_penalty', does: 'drop', how: NONE },
  'logit bias': { field: 'logit_bias', does: 'drop', how: NONE },
  'log probabilities': { field: 'logprobs', does: 'drop', how: NONE },
  'several answers': { field: 'n', does: 'refuse', how: 'it gives one answer' },
  'audio answers': { field: 'modalities', does: 'refuse', how: NONE },
  'image answers': { field: 'modalities', does: 'refuse', how: NONE },
  'JSON answers': { field: 'output_config', does: 'emulate', how: 'the instructions ask for a JSON object' },
  'answer schema': { field: 'output_config', does: 'native', how: FITTED },
  'strict tools': { field: 'tools', does: 'native', how: FITTED },
  'freeform tools': { field: 'tools', does: 'emulate', how: 'a tool takes the text as `input`' },
  'tool namespaces': { field: 'tools', does: 'emulate', how: 'a tool is called `namespace__name`' },
  'server tools': { field: 'tools', does: 'drop', how: 'the provider of the client would run them' },
  'parallel calls': { field: 'tool_choice', does: 'native' },
  'forced calls': { field: 'tool_choice', does: 'native' },
  'forbidden calls': { field: 'tool_choice', does: 'native' },
  effort: { field: 'output_config', does: 'native', how: '`minimal` becomes `low`; for older models a budget' },
  thinking: {
    field: 'thinking',
    does: 'native',
    how: 'dropped where it would be refused: where a call is forced; within a budget, where the limit leaves no room for it, or a tool was called without a thought',
    loses: (request, model) => request.thinking?.isOn === true && !mayThink(request, model),
  },
  'no thinking': { field: 'thinking', does: 'native' },
  'thinking budget': {
    field: 'thinking',
    does: 'native',
    how: 'at least 1024, and less than the limit of the answer; as `adaptive` for models that take none',
  },
  'earlier thinking': { field: 'messages', does: 'native' },
  "Google's thinking": { field: 'messages', does: 'drop', how: 'Google has signed it' },
  "OpenAI's thinking": { field: 'messages', does: 'drop', how: 'OpenAI has sealed it' },
  "OpenRouter's thinking": { field: 'messages', does: 'drop', how: 'OpenRouter has signed it' },
  'unsigned thinking': { field: 'messages', does: 'drop', how: 'it would be refused' },
  'sealed thinking': { field: 'messages', does: 'native' },
  image: { field: 'messages', does: 'native' },
  'image by URL': { field: 'messages', does: 'native' },
  'image detail': { field: 'messages', does: 'drop', how: NONE },
  document: { field: 'messages', does: 'native', how: 'a text of any kind as plain text' },
  'document by URL': { field: 'messages', does: 'native' },
  audio: { field: 'messages', does: 'refuse', how: NONE },
  'audio by URL': { field: 'messages', does: 'refuse', how: NONE },
  video: { field: 'messages', does: 'refuse', how: NONE },
  'search result': { field: 'messages', does: 'emulate', how: 'as text' },
  'kept file': { field: 'messages', does: 'refuse', how: 'the file is with another provider' },
  'media in a tool result': { field: 'messages', does: 'native' },
  'media in instructions': { field: 'system', does: 'refuse', how: 'its instructions are text' },
  'media of the model': { field: 'messages', does: 'drop', how: 'what it made itself is not sent back' },
  'failed tool result': { field: 'messages', does: 'native' },
  'later instructions': { field: 'messages', does: 'native' },
  'cache marks': { field: 'cache_control', does: 'native', how: 'behind texts, images and documents' },
  citations: { field: 'citations', does: 'drop', how: 'the text stays' },
  'end user': { field: 'metadata', does: 'native' },
  'service tier': { field: 'service_tier', does: 'drop', how: 'its classes are others' },
  verbosity: { field: 'verbosity', does: 'drop', how: NONE },
  metadata: { field: 'metadata', does: 'drop', how: NONE },
} as const satisfies FeatureTable

export const features = (): FeatureTable => ANTHROPIC
