import { createServer as createHttpServer, type Server, type ServerResponse } from 'node:http'
import { connect, createServer, type Server as NetServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { type AgentAnswer, agentRequest } from '../../schemas/agent.ts'
import { completion, DONE, frame, STREAM_HEADERS, sendJson } from './fake-upstream.ts'

/**
 * A backend as a host has it, without systemd: a socket that always listens and starts the engine at the first
 * connection (which waits), and an agent that starts and stops it.
 */
export type SleepyBackend = {
  readonly socket: string
  readonly agent: string
  /** How it behaves from now on. */
  readonly manner: Manner
  readonly starts: () => number
  readonly isRunning: () => boolean
  /** Requests answered or under way. */
  readonly requests: () => number
  /** Most requests at a time so far. */
  readonly mostAtOnce: () => number
  /** Streams that the engine's end cut off. */
  readonly cut: () => number
  /** The engine ends by itself, as after its idle time or a crash. */
  readonly end: () => void
  readonly close: () => Promise<void>
}

export type Manner = {
  startMs: number
  /** It cannot start: every connection is closed. */
  isBroken: boolean
  /** Its socket has given up: connections are closed, until its agent starts it. */
  isStuck: boolean
  /** It starts and never answers. */
  hangs: boolean
  /** Frames of a stream, one every 10 ms. */
  frames: number
}

/** @param place prefix of the paths of its sockets */
export async function startSleepyBackend(
  place: string,
  model: string,
  given: Partial<Manner> = {},
): Promise<SleepyBackend> {
  const manner: Manner = { startMs: 0, isBroken: false, isStuck: false, hangs: false, frames: 3, ...given }
  const inner = `${place}-inner.sock`
  const counts = { starts: 0, requests: 0, now: 0, most: 0, cut: 0 }
  const waiting = new Set<Socket>()
  let engine: Server | null = null
  let starting: Promise<void> | null = null
  let hasFailed = false

  function start(): Promise<void> {
    starting ??= new Promise<void>((resolve, reject) => {
      counts.starts += 1
      setTimeout(() => {
        hasFailed = manner.isBroken
        if (manner.isBroken) {
          reject(new Error('engine failed'))
          return
        }
        engine = createHttpServer((request, response) => {
          if (manner.hangs) return
          if (request.method === 'GET') {
            sendJson(response, 200, { object: 'list', data: [{ id: model, object: 'model' }] })
            return
          }
          let body = ''
          request.on('data', (chunk: Buffer) => {
            body += chunk.toString()
          })
          request.on('end', () => answer(response, body.includes('"stream":true')))
        }).listen(inner, resolve)
      }, manner.startMs)
    }).finally(() => {
      starting = null
    })
    return starting
  }

  function answer(response: ServerResponse, isStream: boolean): void {
    counts.requests += 1
    counts.now += 1
    counts.most = Math.max(counts.most, counts.now)
    response.on('close', () => {
      counts.now -= 1
      if (!response.writableFinished) counts.cut += 1
    })
    if (isStream) response.writeHead(200, STREAM_HEADERS)
    let sent = 0
    const timer = setInterval(() => {
      sent += 1
      if (isStream) response.write(frame({ content: `${sent} ` }))
      if (sent < manner.frames) return
      clearInterval(timer)
      if (isStream) response.end(frame({}, 'stop') + DONE)
      else sendJson(response, 200, completion(`from ${model}`))
    }, 10)
    response.on('close', () => clearInterval(timer))
  }

  function end(): void {
    engine?.closeAllConnections()
    engine?.close()
    engine = null
  }

  const proxy = createServer((client) => {
    waiting.add(client)
    client.on('error', () => client.destroy()).on('close', () => waiting.delete(client))
    if (engine === null && manner.isStuck) {
      client.destroy()
      return
    }
    void (engine === null ? start() : Promise.resolve()).then(
      () => {
        const target = connect(inner)
        target.on('error', () => client.destroy()).on('close', () => client.destroy())
        client.on('close', () => target.destroy())
        client.pipe(target).pipe(client)
      },
      () => client.destroy(),
    )
  })
  const agent = createServer((caller) => {
    waiting.add(caller)
    caller.on('error', () => caller.destroy()).on('close', () => waiting.delete(caller))
    const say = (said: AgentAnswer) => caller.write(`${JSON.stringify(said)}\n`)
    createInterface({ input: caller }).on('line', (line) => {
      const { op } = agentRequest.parse(JSON.parse(line))
      if (op === 'status') {
        const active = hasFailed ? 'failed' : engine === null ? 'inactive' : 'active'
        const result = hasFailed ? 'exit-code' : 'success'
        const state = { unit: 'gate-x.service', load: 'loaded', active, sub: active, result }
        say({ type: 'unit', ...state, exit_status: hasFailed ? 3 : 0, restarts: 0 })
      }
      if (op === 'logs') {
        const time = '2026-01-01T00:00:00Z'
        for (const message of ['loading', 'no such model; api_key=key-of-the-engine'])
          say({ type: 'log', time, unit: 'gate-x.service', priority: 6, message })
      }
      if (op === 'stop') end()
      if (op !== 'start' || engine !== null) {
        say({ type: 'done' })
        return
      }
      void start().then(
        () => say({ type: 'done' }),
        () => say({ type: 'error', code: 'FAILED', message: 'Job for gate-x.service failed.' }),
      )
    })
  })
  await Promise.all([listen(proxy, `${place}-engine.sock`), listen(agent, `${place}-agent.sock`)])
  return {
    socket: `${place}-engine.sock`,
    agent: `${place}-agent.sock`,
    manner,
    starts: () => counts.starts,
    isRunning: () => engine !== null,
    requests: () => counts.requests,
    mostAtOnce: () => counts.most,
    cut: () => counts.cut,
    end,
    async close() {
      end()
      for (const socket of waiting) socket.destroy()
      await Promise.all([proxy, agent].map((server) => new Promise((resolve) => server.close(resolve))))
    },
  }
}

function listen(server: NetServer, path: string): Promise<void> {
  return new Promise((resolve, reject) => server.once('error', reject).listen(path, resolve))
}
