// Clients of a home behind relays: each verb goes to a name at an address of a relay.
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import OpenAI from 'openai'
import { Agent, fetch as undiciFetch, WebSocket } from 'undici'
import { serveCalls } from './child-calls.ts'

export type Place = { readonly name: string; readonly address: string; readonly ca: string }

function agentOf({ address, ca }: Place): Agent {
  const family = address.includes(':') ? 6 : 4
  return new Agent({ connect: { ca, lookup: (_name, _options, done) => done(null, [{ address, family }]) } })
}

async function lines({ name, address, ca }: Place): Promise<{ raw: Socket; socket: TLSSocket }> {
  const raw = connectTcp({ host: address, port: 443, allowHalfOpen: true })
  const socket = connect({ socket: raw, ca, servername: name, ALPNProtocols: ['lines', 'http/1.1'] })
  socket.allowHalfOpen = true
  await once(socket, 'secureConnect')
  socket.on('error', () => {})
  return { raw, socket }
}

/** @returns all that comes, and how it ended */
async function rest(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  const ended = new Promise<string>((resolve) => {
    socket.once('end', () => resolve('end'))
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'))
  })
  const how = await ended
  return `${text} (${how})`
}

const verbs = {
  /** @returns the text that was streamed, and in how many parts */
  async openai(place: Place, key: string) {
    const agent = agentOf(place)
    const fetch = (url: string, init = {}) => undiciFetch(url, { ...(init as object), dispatcher: agent })
    const client = new OpenAI({ baseURL: `https://${place.name}/v1`, apiKey: key, fetch: fetch as never })
    const messages = [{ role: 'user', content: 'one two three' }] as const
    const stream = await client.chat.completions.create({ model: 'echo', stream: true, messages: [...messages] })
    let [text, parts] = ['', 0]
    for await (const part of stream) {
      text += part.choices[0]?.delta.content ?? ''
      parts += 1
    }
    await agent.close()
    return { text, parts }
  },
  async webSocket(place: Place, words: string[]) {
    const agent = agentOf(place)
    const socket = new WebSocket(`wss://${place.name}/echo`, { dispatcher: agent })
    await new Promise((resolve, reject) => {
      socket.onopen = resolve
      socket.onerror = (event) => reject(event.error)
    })
    const said: string[] = []
    for (const word of words) {
      const heard = new Promise((resolve) => {
        socket.onmessage = resolve
      })
      socket.send(word)
      said.push(((await heard) as { data: string }).data)
    }
    const closed = new Promise((resolve) => {
      socket.onclose = resolve
    })
    socket.close(1000)
    await closed
    await agent.close()
    return said
  },
  /** Ends its side with its first words. */
  async endFirst(place: Place, words: string) {
    const { socket } = await lines(place)
    socket.end(words)
    return await rest(socket)
  },
  /** Says more once the home has ended its side, and ends. */
  async endLast(place: Place, words: string, more: string) {
    const { socket } = await lines(place)
    socket.write(words)
    const text = await rest(socket)
    socket.end(more)
    await once(socket, 'close')
    return text
  },
  /** @returns how the connection itself has ended */
  async isReset(place: Place, words: string) {
    const { socket } = await lines(place)
    socket.write(words)
    await new Promise((resolve) => socket.resume().once('end', resolve).once('close', resolve))
    return (socket.errored as NodeJS.ErrnoException | null)?.code ?? 'end'
  },
  async reset(place: Place, words: string) {
    const { raw, socket } = await lines(place)
    socket.write(words)
    await once(socket, 'data')
    raw.resetAndDestroy()
    await once(raw, 'close')
  },
}

export type Clients = typeof verbs

if (import.meta.main) serveCalls(verbs)
