import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anthropic } from '../../../../daemon/translate/anthropic/dialect.ts'
import { openAiChat } from '../../../../daemon/translate/openai-chat/dialect.ts'
import { translate } from '../../../../daemon/translate/translation.ts'

// A prompt cache ends at the first byte that differs: what an agent sends again in its next turn has to leave Gate as
// it did before, whatever its attribution line says now.

const [endpoint] = anthropic.endpoints
const CHAT = { dialect: openAiChat, grade: 'translate', instead: openAiChat } as const
const FACTS = { requestId: 'r', nowS: 1, elapsedNs: () => 0 }
const text = fc.string({ minLength: 1, maxLength: 12 }).filter((one) => one.trim() !== '')
const schema = fc.dictionary(text, fc.jsonValue())
const tool = fc.record({ name: fc.stringMatching(/^[a-z]{1,9}$/), description: text, input_schema: schema })
const turn = fc.record({ user: text, assistant: text })

function sent(body: object, provider: string) {
  if (endpoint === undefined) throw new Error('no endpoint')
  const call = { endpoint, param: '', url: endpoint.path, headers: {}, body: Buffer.from(JSON.stringify(body)) }
  const side = { model: 'm', provider }
  return {
    translated: translate(anthropic, CHAT, call, side, FACTS).body.toString(),
    passed: anthropic.bodyFor(call, anthropic.readRequest(call), side).body.toString(),
  }
}

test('tools, instructions and earlier turns keep their bytes from turn to turn', () => {
  fc.assert(
    fc.property(fc.array(tool), text, fc.array(turn, { minLength: 1, maxLength: 4 }), text, text, (...all) => {
      const [tools, system, turns, line, next] = all
      const request = (version: string, more: readonly object[]) => ({
        model: 'm',
        max_tokens: 9,
        tools,
        system: [
          { type: 'text', text: `x-anthropic-billing-header: cc_version=${version};` },
          { type: 'text', text: system, cache_control: { type: 'ephemeral' } },
        ],
        messages: [
          ...turns.flatMap(({ user, assistant }) => [
            { role: 'user', content: user },
            { role: 'assistant', content: assistant },
          ]),
          ...more,
        ],
      })
      const first = sent(request(`1${line}`, [{ role: 'user', content: next }]), 'llama-cpp')
      const more = [
        { role: 'user', content: next },
        { role: 'assistant', content: 'done' },
        { role: 'user', content: 'and now?' },
      ]
      const second = sent(request(`2${line}`, more), 'llama-cpp')
      const [a, b] = [JSON.parse(first.translated), JSON.parse(second.translated)]
      expect(JSON.stringify(b.tools)).toBe(JSON.stringify(a.tools))
      expect(JSON.stringify(b.messages).startsWith(JSON.stringify(a.messages).slice(0, -1))).toBe(true)
      // passed as it came: up to the end of what was sent before
      expect(second.passed.startsWith(first.passed.slice(0, -2))).toBe(true)
    }),
    { numRuns: 50 },
  )
})
