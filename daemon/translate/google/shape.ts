import { SERVICES } from '../neutral.ts'
import {
  anyCase,
  BOOLEAN,
  choice,
  FILLED,
  gone,
  keyed,
  list,
  must,
  NUMBER,
  OBJECT,
  record,
  type Shape,
  someWords,
  TEXT,
  TEXTS,
  UNNEEDED,
  usual,
  words,
} from '../shape.ts'

const BLOB = record({ mimeType: TEXT, data: must(TEXT), displayName: TEXT })
const FILE = record({ mimeType: TEXT, fileUri: must(FILLED), displayName: TEXT })
const MEDIA = { inlineData: record({ inlineData: BLOB }), fileData: record({ fileData: FILE }) }

/** What is said beside the one thing that a part is. */
const BESIDE = { thought: usual(false) }

const PART = keyed({
  text: record({ text: TEXT, thought: BOOLEAN }),
  inlineData: record({ inlineData: BLOB, ...BESIDE }),
  fileData: record({ fileData: FILE, ...BESIDE }),
  functionCall: record({
    functionCall: record({ id: TEXT, name: must(FILLED), args: OBJECT, willContinue: usual(false) }),
    thoughtSignature: TEXT,
    ...BESIDE,
  }),
  functionResponse: record({
    functionResponse: record({
      id: TEXT,
      name: TEXT,
      response: OBJECT,
      parts: list(keyed(MEDIA)),
      willContinue: usual(false),
    }),
    ...BESIDE,
  }),
  // what Google ran itself
  executableCode: record({ executableCode: record({ code: must(TEXT), language: UNNEEDED, id: UNNEEDED }), ...BESIDE }),
  codeExecutionResult: record({
    codeExecutionResult: record({ output: TEXT, outcome: UNNEEDED, id: UNNEEDED }),
    ...BESIDE,
  }),
  toolCall: OBJECT,
  toolResponse: OBJECT,
})

/** Google's parser takes one object for a list of one. */
const oneOrMore = (shape: Shape): Shape => ({ ...list(shape), ...shape })

const CONTENT = record({ parts: oneOrMore(PART), text: TEXT })
const TURN = choice('role', { user: CONTENT, model: CONTENT, function: CONTENT }, { usual: 'user' })

const CONFIG = record(
  {
    candidateCount: NUMBER,
    frequencyPenalty: NUMBER,
    logprobs: NUMBER,
    maxOutputTokens: NUMBER,
    presencePenalty: NUMBER,
    responseJsonSchema: OBJECT,
    responseLogprobs: BOOLEAN,
    responseMimeType: someWords('application/json', 'text/plain'),
    responseModalities: list(anyCase(words('TEXT', 'IMAGE', 'AUDIO'))),
    responseSchema: OBJECT,
    seed: NUMBER,
    stopSequences: TEXTS,
    temperature: NUMBER,
    thinkingConfig: record({
      thinkingBudget: NUMBER,
      thinkingLevel: anyCase(someWords('MINIMAL', 'LOW', 'MEDIUM', 'HIGH', 'XHIGH', 'THINKING_LEVEL_UNSPECIFIED')),
      includeThoughts: BOOLEAN,
    }),
    topK: NUMBER,
    topP: NUMBER,
  },
  { either: ['responseJsonSchema', 'responseSchema'] },
)

const TOOL = record(
  {
    functionDeclarations: oneOrMore(
      record(
        { name: must(FILLED), description: TEXT, parameters: OBJECT, parametersJsonSchema: OBJECT },
        { either: ['parameters', 'parametersJsonSchema'] },
      ),
    ),
  },
  { isOpen: true }, // tools that Google runs
)

/** A request, as far as it is read for another dialect. */
export const REQUEST = record({
  contents: oneOrMore(TURN),
  systemInstruction: { ...TEXT, ...record({ role: UNNEEDED, parts: oneOrMore(PART), text: TEXT }) },
  tools: oneOrMore(TOOL),
  toolConfig: record({
    functionCallingConfig: record({
      mode: anyCase(someWords('AUTO', 'ANY', 'NONE', 'MODE_UNSPECIFIED')),
      allowedFunctionNames: TEXTS,
    }),
  }),
  generationConfig: CONFIG,
  cachedContent: gone('cannot be passed on to the upstream of this model: Google keeps it; send the content'),
  serviceTier: someWords('unspecified', 'standard', ...SERVICES),
  model: UNNEEDED,
})
