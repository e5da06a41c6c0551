import { expect, test } from 'vitest'
import { anthropic } from '../../../../daemon/translate/anthropic/dialect.ts'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'
import { fieldsDropped } from '../../../../daemon/translate/features.ts'
import { FEATURES } from '../../../../daemon/translate/neutral.ts'
import { openAiChat } from '../../../../daemon/translate/openai-chat/dialect.ts'
import { PROVIDERS } from '../../../../schemas/words/providers.ts'
import { CASES } from '../../../wire/cases.ts'

const said = CASES.flatMap(({ upstream, dropped = [], refused }) => [
  ...dropped.map((field) => `${upstream} drops ${field}`),
  ...(refused === undefined ? [] : [`${upstream} refuses ${refused}`]),
])

/** Those that translate: others only pass. */
const translating = DIALECTS.all.filter(({ neutral }) => neutral !== undefined)

test.each(translating.map(({ name, neutral }) => ({ name, neutral })))(
  '$name says what becomes of each feature',
  (one) => {
    for (const provider of PROVIDERS) {
      const table = one.neutral?.features(provider)
      expect(Object.keys(table ?? {}).toSorted()).toEqual([...FEATURES].toSorted())
      for (const row of Object.values(table ?? {})) {
        if (row.does !== 'native') expect(row.how, JSON.stringify(row)).toBeTypeOf('string')
      }
    }
  },
)

test.each(DIALECTS.all.map(({ name, neutral }) => ({ name, neutral })))(
  'a case of test/wire shows each feature that $name refuses',
  ({ name, neutral }) => {
    const others = DIALECTS.all.filter((other) => other.name !== name)
    for (const [feature, { does }] of Object.entries(neutral?.features('') ?? {})) {
      if (does !== 'refuse') continue
      const fields = others.flatMap((other) => Object.entries(other.neutral?.features('') ?? {}))
      const named = fields.filter(([one]) => one === feature).map(([, { field }]) => `${name} refuses ${field}`)
      expect(
        named.some((one) => said.includes(one)),
        `${feature} at ${name}`,
      ).toBe(true)
    }
  },
)

test.each([
  { choice: '"required"', dropped: ['tool_choice'] },
  { choice: '{"type":"function","function":{"name":"look"}}', dropped: ['tool_choice'] },
  { choice: '"auto"', dropped: [] },
  { choice: '"none"', dropped: [] },
])('without tools the choice of one is left out, and named: $choice', ({ choice, dropped }) => {
  const body = Buffer.from(`{"model":"m","messages":[{"role":"user","content":"hi"}],"tool_choice":${choice}}`)
  const [endpoint] = openAiChat.endpoints
  if (endpoint === undefined) throw new Error('no endpoint')
  const request = openAiChat.neutral.readRequest({ endpoint, param: '', url: '', headers: {}, body })
  const named = openAiChat.neutral.features('openai')
  expect(fieldsDropped(request, named, anthropic.neutral.features('anthropic'))).toEqual(dropped)
})
