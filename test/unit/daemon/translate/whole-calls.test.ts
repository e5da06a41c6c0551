import { expect, test } from 'vitest'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'
import { translate } from '../../../../daemon/translate/translation.ts'
import { DONE, frame } from '../../../support/fake-upstream.ts'

const [chat] = DIALECTS.all
const FACTS = { requestId: 'r1', nowS: 1_700_000_000, elapsedNs: () => 0, calls: 'pass' } as const

/** What a client of a dialect is shown when the arguments of a call come in these pieces. */
function shownTo(name: string, pieces: readonly string[], finish: string): string {
  const client = DIALECTS.all.find((dialect) => dialect.name === name)
  const endpoint = client?.endpoints.find(({ does }) => does === 'generate')
  if (client === undefined || endpoint === undefined) throw new Error(`no dialect ${name}`)
  const request = { model: 'm', messages: [{ role: 'user', content: 'hi' }], contents: [{ parts: [{ text: 'hi' }] }] }
  const call = { endpoint, param: 'm', url: endpoint.path, headers: {}, body: Buffer.from(JSON.stringify(request)) }
  const spoken = { dialect: chat, grade: 'translate', instead: chat } as const
  const watch = translate(client, spoken, call, { model: 'm', provider: 'openai' }, FACTS).watch(true)
  const frames = [
    ...pieces.map((args, at) =>
      frame({ tool_calls: [{ index: 0, ...(at === 0 && { id: 'a' }), function: { name: 'look', arguments: args } }] }),
    ),
    frame({}, finish),
    DONE,
  ]
  return [...frames.map((one) => watch.feed(Buffer.from(one))), watch.rest()].map(String).join('')
}

const whole = { google: '"args":{"days":3}', ollama: '"arguments":{"days":3}' }

for (const client of ['google', 'ollama'] as const) {
  test.each([
    { pieces: ['{"days": nope'] },
    { pieces: ['[1]'] },
    { pieces: ['null'] },
    { pieces: ["{'days': 3}"] },
    { pieces: ['{"days', '":3'] },
    { pieces: [`{"days": "${'x'.repeat(5_000)}`] },
  ])(`a client of ${client} is told that arguments are none: $pieces.0`, ({ pieces }) => {
    const shown = shownTo(client, pieces, 'tool_calls')
    expect(shown).toContain('the upstream called the tool \\"look\\" with wrong arguments: not a JSON object')
    expect(shown).not.toMatch(/"name":"look"/)
  })

  test(`a client of ${client} gets arguments as they are`, () => {
    expect(shownTo(client, ['{"days', '":3}'], 'tool_calls')).toContain(whole[client])
    expect(shownTo(client, [''], 'tool_calls')).toMatch(/"arg(?:ument)?s":\{\}/)
  })

  test.each([1, 5_000])(`a client of ${client} gets no call that the limit has cut after %d characters`, (length) => {
    const shown = shownTo(client, [`{"days": "${'x'.repeat(length)}`], 'length')
    expect(shown).not.toContain('look')
    expect(shown).toMatch(/MAX_TOKENS|"done_reason":"length"/)
  })
}
