import { expect, test, vi } from 'vitest'
import { wantedOf } from '../../../../daemon/gateway/wanted.ts'
import { openAiChat } from '../../../../daemon/translate/openai-chat/dialect.ts'

const [endpoint] = openAiChat.endpoints

function wanted(text: string) {
  if (endpoint === undefined) throw new Error('no endpoint')
  const body = Buffer.from(text)
  const read = vi.spyOn(body, 'toString')
  const call = { endpoint, param: '', url: endpoint.path, headers: {}, body }
  return { read, ...wantedOf(call, { model: 'm', stream: false }, openAiChat, 'k') }
}

test.each([
  { what: 'a tool', text: '{"tools" : [ {"type":"function"}]}', offers: true, reads: 1 },
  { what: 'an empty list of tools', text: '{"tools":[]}', offers: false, reads: 1 },
  { what: 'a text about tools', text: String.raw`{"messages":[{"content":"\"tools\":[{"}]}`, offers: false, reads: 0 },
  { what: 'nothing', text: '{}', offers: false, reads: 0 },
])('a request with $what is read at most once', ({ text, offers, reads }) => {
  const { read, offersTools } = wanted(text)
  expect([offersTools(), offersTools(), offersTools()]).toEqual([offers, offers, offers])
  expect(read).toHaveBeenCalledTimes(reads)
})
