import { expect, test } from 'vitest'
import { anthropic } from '../../../../daemon/translate/anthropic/dialect.ts'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'
import { openAiChat } from '../../../../daemon/translate/openai-chat/dialect.ts'
import { preferredOf, spokenFor } from '../../../../daemon/translate/spoken.ts'
import type { Grades } from '../../../../schemas/words/dialects.ts'

const all = [openAiChat, anthropic] as const

test.each<{ name: string; client: (typeof all)[number]; grades: Grades; dialect: string; grade: string }>([
  {
    name: 'bytes pass where the upstream speaks the same natively',
    client: anthropic,
    grades: { 'openai-chat': 'native', anthropic: 'native' },
    dialect: 'anthropic',
    grade: 'native',
  },
  {
    name: 'what answers badly is repaired',
    client: anthropic,
    grades: { 'openai-chat': 'native', anthropic: 'repair' },
    dialect: 'anthropic',
    grade: 'repair',
  },
  {
    name: 'what is not named is translated, to what comes first',
    client: anthropic,
    grades: { 'openai-chat': 'native' },
    dialect: 'openai-chat',
    grade: 'translate',
  },
  {
    name: 'a native one comes before one to be repaired',
    client: openAiChat,
    grades: { 'openai-chat': 'translate', anthropic: 'native', 'openai-responses': 'repair' },
    dialect: 'anthropic',
    grade: 'translate',
  },
  {
    name: 'what is not known to this gateway is not chosen',
    client: openAiChat,
    grades: { 'a-new-one': 'native', anthropic: 'native' },
    dialect: 'anthropic',
    grade: 'translate',
  },
])('$name', ({ client, grades, dialect, grade }) => {
  const spoken = spokenFor(all, client, grades)
  expect([spoken.dialect.name, spoken.grade]).toEqual([dialect, grade])
})

test.each<{ grades: Grades; instead: string }>([
  { grades: { 'openai-chat': 'native', anthropic: 'repair' }, instead: 'openai-chat' },
  { grades: { 'openai-chat': 'translate', anthropic: 'repair' }, instead: 'anthropic' },
  { grades: { 'openai-chat': 'native', anthropic: 'native' }, instead: 'anthropic' },
])('what repair is not enough for is said in $instead to an upstream of $grades', ({ grades, instead }) => {
  expect(spokenFor(all, anthropic, grades).instead.name).toBe(instead)
})

test.each([
  ['openai', undefined, 'openai-chat'],
  ['anthropic', undefined, 'anthropic'],
  ['google', undefined, 'google'],
  ['google', 'https://generativelanguage.googleapis.com/v1beta/openai', 'openai-chat'],
  ['ollama', 'http://127.0.0.1:11434/v1', 'openai-chat'],
  ['ollama', 'http://127.0.0.1:11434/api', 'ollama'],
  ['deepseek', undefined, 'openai-chat'],
  ['deepseek', 'https://api.deepseek.com/anthropic/v1', 'anthropic'],
  ['moonshot', 'https://api.moonshot.ai/anthropic/v1/', 'anthropic'],
  ['perplexity', undefined, 'openai-responses'],
  ['perplexity', 'https://api.perplexity.ai/router/v1', 'openai-chat'],
  ['unheard-of', undefined, 'openai-chat'],
])('%s at %s is asked for its models in %s', (provider, url, name) => {
  expect(preferredOf(DIALECTS.all, DIALECTS.gradesOf(provider, url)).name).toBe(name)
})
