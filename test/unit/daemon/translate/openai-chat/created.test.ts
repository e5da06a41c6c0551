import { expect, test } from 'vitest'
import { openAiChat } from '../../../../../daemon/translate/openai-chat/dialect.ts'
import { listModels, showModel } from '../../../../../daemon/translate/openai-chat/models.ts'

// 2020 to 2100: neither nothing nor milliseconds
const isUnixSeconds = (value: unknown) => Number.isInteger(value) && Number(value) > 1.5e9 && Number(value) < 4.2e9
const model = { id: 'm', ownedBy: 'gate' }

test.each([
  { what: 'a model', said: showModel(model) },
  { what: 'a model of a list', said: (listModels([model]) as { data: unknown[] }).data[0] },
])('C9 $what says since when it is there', ({ said }) => {
  expect(said).toMatchObject({ created: expect.toSatisfy(isUnixSeconds) })
})

test('C9 the readers of lists do not mind', () => {
  expect(openAiChat.readModels(listModels([model]))).toEqual(['m'])
})
