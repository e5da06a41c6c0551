import { expect, test, vi } from 'vitest'
import { wantedOf } from '../../../../daemon/gateway/wanted.ts'
import { openAiChat } from '../../../../daemon/translate/openai-chat/dialect.ts'

const [endpoint] = openAiChat.endpoints

function wanted(text: string, headers = {}) {
  if (endpoint === undefined) throw new Error('no endpoint')
  const body = Buffer.from(text)
  const read = vi.spyOn(body, 'toString')
  const call = { endpoint, param: '', url: endpoint.path, headers, body }
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

test.each([
  { client: 'Claude Code', headers: { 'x-claude-code-session-id': 'a' }, session: 'k a' },
  { client: 'Codex', headers: { 'session-id': 'a', 'thread-id': 'b' }, session: 'k a' },
  { client: 'OpenCode', headers: { 'x-session-affinity': 'a' }, session: 'k a' },
  { client: 'Open WebUI', headers: { 'x-openwebui-chat-id': 'a' }, session: 'k a' },
  { client: 'another', headers: { 'x-session-id': 'a' }, session: 'k a' },
  { client: 'one of conversations', headers: { 'x-conversation-id': 'a' }, session: 'k a' },
  { client: 'one that says nothing', headers: {}, session: null },
])('requests of one session of $client are known to belong together', ({ headers, session }) => {
  expect(wanted('{}', headers).session).toBe(session)
})
