import { appendFileSync, readdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../store/sqlite/database.ts'
import { rowOfLine } from '../../store/usage-journal/line.ts'
import { chatBody } from '../support/chat.ts'
import { startDaemon, until } from '../support/daemon.ts'
import { sampled } from '../support/effort.ts'
import { startSlowUpstream } from '../support/slow-upstream.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const KILLS = sampled(3, 50)
const TOKEN = 'a-system-token-for-tests'

let place: ReturnType<typeof temporaryDirectory>
beforeAll(() => {
  place = temporaryDirectory()
})
afterAll(() => place.remove())

test(`kill -9 during load, ${KILLS} times: no row of an answer that a client saw whole is lost or doubled`, async () => {
  const answered: string[] = []
  for (let kill = 0; kill < KILLS; kill += 1) {
    const gate = await startDaemon({ GATE_AUTH__TOKEN: TOKEN, GATE_LOG__LEVEL: 'error' }, place.path)
    const clients = Array.from({ length: 16 }, (_, i) => load(gate.url, i % 2 === 0, answered))
    const killAt = answered.length + 20 + ((kill * 37) % 200)
    while (answered.length < killAt) await new Promise((resolve) => setImmediate(resolve))
    await gate.kill()
    await Promise.all(clients)
    const [torn] = journals()
    if (torn !== undefined && kill % 2 === 0) appendFileSync(place.file(torn), '["torn by the kill",1,17') // no newline
  }

  const last = await startDaemon({ GATE_AUTH__TOKEN: TOKEN }, place.path) // imports what the killed ones left behind
  expect(await last.stop()).toBe(0)
  expect(journals()).toEqual([])
  const database = openDatabase(place.file('gate.db'))
  expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
  const rows = database
    .prepare<[], { id: string; n: number }>('SELECT request_id AS id, count(*) AS n FROM usage GROUP BY 1')
    .all()
  const counts = new Map(rows.map(({ id, n }) => [id, n]))
  expect(answered.filter((id) => counts.get(id) !== 1)).toEqual([])
  expect(new Set(answered).size).toBe(answered.length)
  expect(answered.length).toBeGreaterThan(KILLS * 20)
  database.close()
})

test('what is going on when Gate is killed has a row after the next start, with what was counted', async () => {
  const own = temporaryDirectory()
  const upstream = await startSlowUpstream()
  const env = { GATE_AUTH__TOKEN: TOKEN }
  const slow = { provider: 'custom', base_url: upstream.url, models: ['gpt'] }
  own.write('declared.json', JSON.stringify({ upstreams: { slow } }))
  const gate = await startDaemon(env, own.path)
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  const body = chatBody('one two three four', { model: 'slow/gpt', stream: true })
  const asked = fetch(`${gate.url}/v1/chat/completions`, { method: 'POST', headers, body })
  const cut = asked.then((response) => response.text()).catch(() => 'cut')
  const answer = await upstream.next()
  answer.say('Hello')
  const open = () => readdirSync(own.path).find((name) => /-usage-open-\d+$/.test(name))
  const said = () => {
    const name = open()
    return name === undefined ? 0 : rowOfLine(own.read(name).trimEnd())?.outputTokens
  }
  await until(() => said() === 1)
  await gate.kill()
  expect(await cut).toBe('cut')

  const next = await startDaemon(env, own.path)
  await until(() => next.output().includes('Gate was killed while it answered requests'))
  expect(open()).toBeUndefined()
  await next.stop()
  const database = openDatabase(own.file('gate.db'))
  expect(database.prepare('SELECT * FROM usage').all()).toMatchObject([
    { outcome: 'interrupted', upstream: 'slow', model: 'slow/gpt', output_tokens: 1, estimated: 1, status: 0 },
  ])
  database.close()
  await upstream.close()
  own.remove()
})

/** Files of the usage journal that wait for their import. */
function journals(): string[] {
  return readdirSync(place.path).filter((name) => name.startsWith('gate.db-usage-'))
}

/** One client that asks until the daemon is gone, noting the id of each answer that it has seen whole. */
async function load(url: string, stream: boolean, answered: string[]): Promise<void> {
  const body = chatBody('one two three four', { stream })
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  for (;;) {
    try {
      const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })
      let text = ''
      for await (const chunk of response.body ?? []) {
        text += Buffer.from(chunk as Uint8Array).toString()
        // a client takes [DONE] for the end, whatever comes after it
        const isWhole = stream ? text.includes('data: [DONE]') : text.endsWith('}}')
        if (isWhole) break
      }
      if (stream ? text.includes('data: [DONE]') : text.endsWith('}}'))
        answered.push(response.headers.get('x-request-id') ?? '')
    } catch {
      return // killed
    }
  }
}
