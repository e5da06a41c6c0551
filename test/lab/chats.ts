// Sends chat requests all at once and prints what came of each: node chats.ts URL KEY
// '[{"model":…,"tokens":…,"count":…}]' With "turns", each of `count` clients sends so many, one after the other. All
// are streams but those with "stream": false: the status of a stream that waits long is sent before it is known.
import { Agent, request } from 'node:http'

/** What came of one request. Times in milliseconds. */
export type ChatResult = {
  readonly model: string
  readonly status: number
  /** The header x-gate-wait; empty when it did not wait. */
  readonly wait: string
  readonly retryAfter: string
  /** The answer came to its end. */
  readonly isWhole: boolean
  readonly firstByteMs: number
  readonly body: string
}

type Wanted = {
  readonly model: string
  readonly tokens: number
  readonly count: number
  readonly turns?: number
  readonly stream?: boolean
}

const [, , url = '', key = '', wanted = '[]'] = process.argv

function chat(model: string, tokens: number, stream: boolean): Promise<ChatResult> {
  const body = JSON.stringify({ model, stream, max_tokens: tokens, messages: [{ role: 'user', content: 'x' }] })
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const startMs = performance.now()
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/v1/chat/completions`, { method: 'POST', headers, agent: new Agent() }, (response) => {
      let text = ''
      let firstByteMs = 0
      response.on('data', (chunk: Buffer) => {
        if (text === '') firstByteMs = performance.now() - startMs
        text += chunk.toString()
      })
      response.on('error', reject)
      response.on('close', () => {
        const header = (name: string) => String(response.headers[name] ?? '')
        const status = response.statusCode ?? 0
        const isWhole = stream
          ? text.includes(`"${tokens - 1} "`) && text.includes('[DONE]')
          : status === 200 && text.includes(`${tokens - 1} "`)
        const [wait, retryAfter] = [header('x-gate-wait'), header('retry-after')]
        resolve({ model, status, wait, retryAfter, isWhole, firstByteMs, body: isWhole ? '' : text })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

async function client({ model, tokens, turns = 1, stream = true }: Wanted): Promise<ChatResult[]> {
  const results: ChatResult[] = []
  for (let turn = 0; turn < turns; turn++) results.push(await chat(model, tokens, stream))
  return results
}

const clients = (JSON.parse(wanted) as Wanted[]).flatMap((one) => Array.from({ length: one.count }, () => client(one)))
console.log(JSON.stringify((await Promise.all(clients)).flat()))
