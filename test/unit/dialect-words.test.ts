import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

// What only a dialect's own folder may say. A word that is also plain English counts in quotes or as a key; a word of
// two dialects may be said by both.
const WORDS: Readonly<Record<string, RegExp>> = {
  'openai-chat':
    /chat\/completions|chat\.completion|finish_reason|tool_calls|\[DONE\]|prompt_tokens|completion_tokens|max_completion_tokens|stream_options|invalid_request_error|owned_by|\bchoices\b(?=['"]?\s*[:,}\]])|['"]choices['"]|\bdelta['"]?:/,
  'openai-responses':
    /response\.(?:created|completed|failed|output)|output_item|previous_response_id|function_call_arguments|invalid_request_error|owned_by|tool_calls|stream_options|\[DONE\]|\bdelta['"]?:/,
  anthropic:
    /message_start|message_stop|message_delta|content_block|anthropic-version|anthropic-beta|tool_use|billing_error|invalid_request_error|\bdelta['"]?:/,
  google: /generateContent|streamGenerateContent|usageMetadata|promptTokenCount|candidatesTokenCount|functionCall\b/,
  ollama: /eval_count|tool_calls|prompt_eval_count|api\/chat|api\/generate(?!-)|api\/tags|done_reason/,
}

type Sources = ReadonlyMap<string, string>

/** Every line of a file that says a word of a dialect whose folder it is not in. */
function strayWords(sources: Sources): string[] {
  const found: string[] = []
  for (const [path, text] of sources) {
    for (const [dialect, words] of Object.entries(WORDS)) {
      if (dialectsOf(path).includes(dialect)) continue
      for (const [at, line] of text.split('\n').entries()) {
        const word = words.exec(line)?.[0]
        if (word !== undefined && !isOwnWord(path, word))
          found.push(`${path}:${at + 1} says "${word}", a word of ${dialect}`)
      }
    }
  }
  return found
}

/** The dialects whose file this is: that of its folder, or all of the vendor that begins its name. */
function dialectsOf(path: string): string[] {
  const [, folder, vendor] = /^daemon\/translate\/(?:([^/]+)\/|([a-z]+)-[^/]+$)/.exec(path) ?? []
  return Object.keys(WORDS).filter((name) => name === folder || name.split('-')[0] === vendor)
}

/** Whether a word is also one of a dialect whose file this is. */
const isOwnWord = (path: string, word: string) => dialectsOf(path).some((dialect) => WORDS[dialect]?.test(word))

const root = join(import.meta.dirname, '../..')
const sources: Sources = new Map(
  globSync('daemon/**/*.ts', { cwd: root }).map((path) => [path, readFileSync(join(root, path), 'utf8')]),
)
/** What upstreams of a dialect say in words of another: headers that they take and that are passed on, their lists of models. */
const BORROWED: Readonly<Record<string, string>> = {
  'daemon/translate/openai-chat/request.ts': '"anthropic-',
  'daemon/translate/openai-chat/facts.ts': '"tool_use"',
}
const isBorrowed = (stray: string) =>
  Object.entries(BORROWED).some(([path, word]) => stray.startsWith(path) && stray.includes(word))

test('no file of the daemon but those of a dialect says a word of it', () => {
  expect(sources.size).toBeGreaterThan(60)
  expect(strayWords(sources).filter((stray) => !isBorrowed(stray))).toEqual([])
})

test.each([
  { dialect: 'openai-chat', line: `if (event.choices[0].finish_reason !== null) end()` },
  { dialect: 'openai-chat', line: `const { choices, usage } = answer` },
  { dialect: 'openai-chat', line: `path: \`\${basePath}/chat/completions\`,` },
  { dialect: 'openai-chat', line: `if (text.includes('[DONE]')) done = true` },
  { dialect: 'openai-responses', line: `case 'response.completed':` },
  { dialect: 'anthropic', line: `case 'message_start':` },
  { dialect: 'google', line: `path.endsWith(':generateContent')` },
  { dialect: 'ollama', line: `tokens: answer.eval_count` },
])('finds a planted word of $dialect: $line', ({ dialect, line }) => {
  const planted = new Map([...sources, ['daemon/gateway/planted.ts', line]])
  expect(
    strayWords(planted).some((stray) => stray.startsWith('daemon/gateway/planted.ts:1 ') && stray.endsWith(dialect)),
  ).toBe(true)
  expect(strayWords(new Map([[`daemon/translate/${dialect}/planted.ts`, line]]))).toEqual([])
})
