import { expect, test } from 'vitest'
import { readFacts, readModels, showModel } from '../../../../../daemon/translate/google/models.ts'

const listed = (name: string, ...supportedGenerationMethods: string[]) => ({ name, supportedGenerationMethods })
const LIST = {
  models: [
    listed('models/gemini-2.5-flash', 'generateContent', 'countTokens'),
    listed('models/gemini-embedding-001', 'embedContent', 'countTextTokens'),
    listed('models/both', 'generateContent', 'embedContent'),
    listed('models/imagen-4.0', 'predict'),
    listed('models/gemini-live', 'bidiGenerateContent'),
    { name: 'models/does-not-say' },
  ],
}

test('models that generate or embed can be found, and say which', () => {
  expect(readModels(LIST)).toEqual(['gemini-2.5-flash', 'gemini-embedding-001', 'both', 'does-not-say'])
  const shown = [...readFacts(LIST)].map(([id, facts]) => showModel({ id, ownedBy: 'google', facts }))
  expect(shown.map((model) => (model as { supportedGenerationMethods: unknown }).supportedGenerationMethods)).toEqual([
    ['generateContent', 'countTokens'],
    ['embedContent', 'countTokens'],
    ['generateContent', 'countTokens'],
    ['generateContent', 'countTokens'],
  ])
})
