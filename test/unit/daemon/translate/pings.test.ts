import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { expect, test } from 'vitest'
import type { Dialect } from '../../../../daemon/translate/dialect.ts'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'
import { translate } from '../../../../daemon/translate/translation.ts'
import { CLIENTS, type ClientName, heardIn } from '../../../faults/clients.ts'
import { SPEECHES } from '../../../faults/speech.ts'

// A ping at every place where the gateway may put one, in streams that come byte by byte: clients hear the same answer.

const UPSTREAMS = ['openai-chat', 'openai-responses', 'anthropic', 'google', 'ollama'] as const
type UpstreamName = (typeof UPSTREAMS)[number]
const CLIENT_NAMES = Object.keys(CLIENTS) as ClientName[]

/** The list of Google is a dialect of its own, after the one with events. */
function dialectOf(client: ClientName): Dialect {
  const name = client === 'google as a list' ? 'google' : client
  const found = DIALECTS.all.filter((dialect) => dialect.name === name)[client === 'google as a list' ? 1 : 0]
  if (found === undefined) throw new Error(`no dialect for ${client}`)
  return found
}

/** What a client is sent, and how many pings are in it. */
function pinged(client: ClientName, upstream: UpstreamName, chunkBytes: number) {
  const dialect = dialectOf(client)
  const { ping } = dialect
  if (ping === null) throw new Error(`${client} has no ping`)
  const bytes = Buffer.from(SPEECHES[upstream].frames.map(([, text]) => text).join(''))
  const watch = watchOf(client, dialect, upstream)
  let text = ping
  let pings = 1
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    text += watch.feed(bytes.subarray(at, at + chunkBytes)).toString()
    if (!watch.atBoundary() || watch.isComplete()) continue
    text += ping
    pings += 1
  }
  return { text: text + watch.rest().toString(), pings }
}

function watchOf(client: ClientName, dialect: Dialect, upstream: UpstreamName) {
  if (client === upstream) return dialect.watch(false, 1)
  const spoken = dialectOf(upstream)
  const isStream = client === 'google'
  const endpoint = dialect.endpoints.find(
    (one) => one.does === 'generate' && (!isStream || one.withQuery !== undefined),
  )
  if (endpoint === undefined) throw new Error(`${client} generates nothing`)
  const body = Buffer.from(JSON.stringify(CLIENTS[client].body('m', true)))
  const call = { endpoint, param: 'm', url: endpoint.path, headers: {}, body }
  const facts = { requestId: 'r1', nowS: 1, elapsedNs: () => 0 }
  const side = { model: 'm', provider: 'custom' }
  return translate(dialect, { dialect: spoken, grade: 'translate', instead: spoken }, call, side, facts).watch(true)
}

const PAIRS = CLIENT_NAMES.flatMap((client) => UPSTREAMS.map((upstream) => ({ client, upstream })))

test.each(PAIRS)('$client from $upstream: pings split no frame', ({ client, upstream }) => {
  for (const chunkBytes of [1, 7, 64]) {
    const { text, pings } = pinged(client, upstream, chunkBytes)
    const heard = heardIn(client, text, true)
    expect(heard).toMatchObject({ text: 'Hello', ends: ['done'] })
    expect(JSON.parse(heard.json)).toEqual({ city: 'Oslo' })
    expect(pings).toBeGreaterThan(4)
  }
})

const fetched = (text: string) => async () => new Response(text, { headers: { 'content-type': 'text/event-stream' } })

test.each(UPSTREAMS)('the official clients read what comes from %s with pings in it', async (upstream) => {
  const options = (client: ClientName) => ({ apiKey: 'k', fetch: fetched(pinged(client, upstream, 3).text) })
  const messages = [{ role: 'user' as const, content: 'hi' }]
  const chat = new OpenAI(options('openai-chat')).chat.completions.stream({ model: 'm', messages })
  const choice = (await chat.finalChatCompletion()).choices[0]
  expect(choice?.message.content).toBe('Hello')
  expect(choice?.finish_reason).toBe('tool_calls')
  const responses = new OpenAI(options('openai-responses')).responses.stream({ model: 'm', input: 'hi' })
  expect((await responses.finalResponse()).output_text).toBe('Hello')
  const anthropic = new Anthropic(options('anthropic')).messages.stream({ model: 'm', max_tokens: 9, messages })
  const { content, stop_reason } = await anthropic.finalMessage()
  expect(content).toMatchObject([{ text: 'Hello' }, { name: 'weather', input: { city: 'Oslo' } }])
  expect(stop_reason).toBe('tool_use')
})
