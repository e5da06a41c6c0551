// Visits a relay, as its own process: `relay-client.ts PORT NAME KIND SECONDS`; prints one line of JSON.
import { connect, type Socket } from 'node:net'
import { helloMaker } from '../test/support/visitor.ts'
import { WANTS } from './relay-program.ts'

const AT_ONCE = 16
const IDLE = 4_000
const STALLED = 500
const SLOW = 5_000

const [portText = '', name = '', kind = '', secondsText = '1'] = process.argv.slice(2)
const [port, seconds] = [Number(portText), Number(secondsText)]
const hello = (await helloMaker())(name)
const asking = (want: number) => Buffer.concat([hello, Buffer.of(want)])

function visit(want: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', (error) => {
    if (kind !== 'stalled' && kind !== 'slow') throw error // those that do not read may be ended
  })
  socket.write(asking(want))
  return socket
}

/** One visitor that downloads. */
async function bulk(): Promise<object> {
  const socket = visit(WANTS.bulk)
  let bytes = 0
  await new Promise((resolve) => socket.once('data', resolve))
  const startedMs = performance.now()
  socket.on('data', (chunk) => {
    bytes += chunk.length
  })
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
  const tookMs = performance.now() - startedMs
  socket.destroy()
  return { bytes, mbPerSecond: bytes / tookMs / 1_000 }
}

/** New connections, each for a short answer. */
async function short(): Promise<object> {
  const waits: number[] = []
  const startedMs = performance.now()
  const endMs = startedMs + seconds * 1_000
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (performance.now() < endMs) {
        const sentMs = performance.now()
        const socket = visit(WANTS.short)
        socket.resume()
        await new Promise((resolve) => socket.once('end', resolve))
        waits.push(performance.now() - sentMs)
        socket.destroy()
      }
    }),
  )
  waits.sort((a, b) => a - b)
  const tookMs = performance.now() - startedMs
  return {
    visits: waits.length,
    perSecond: (waits.length / tookMs) * 1_000,
    p99Ms: waits[Math.ceil(waits.length * 0.99) - 1],
  }
}

/** Visitors that stay without a word; holds them until it is told to go. */
async function idle(): Promise<object> {
  for (let i = 0; i < IDLE; i += 1) {
    visit(WANTS.nothing).resume()
    if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  return { idle: IDLE }
}

/** Visitors that ask for much and read nothing; then one more. */
async function stalled(): Promise<object> {
  for (let i = 0; i < STALLED; i += 1) {
    visit(WANTS.bulk).pause()
    if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  const waits: number[] = []
  for (let i = 0; i < 20; i += 1) {
    const sentMs = performance.now()
    const socket = visit(WANTS.short).resume()
    await new Promise((resolve) => socket.once('end', resolve))
    waits.push(performance.now() - sentMs)
  }
  waits.sort((a, b) => a - b)
  return { stalled: STALLED, served: waits.length, medianMs: waits[10], worstMs: waits.at(-1) }
}

/** p99 of a visit, alone and beside many that say their hello one byte each second, from many addresses. */
async function slow(): Promise<object> {
  const timed = async (count: number): Promise<number> => {
    const waits: number[] = []
    for (let i = 0; i < count; i += 1) {
      const sentMs = performance.now()
      const socket = visit(WANTS.short).resume()
      await new Promise((resolve) => socket.once('end', resolve))
      waits.push(performance.now() - sentMs)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return waits.sort((a, b) => a - b)[Math.ceil(count * 0.99) - 1] ?? 0
  }
  await timed(50)
  const aloneMs = await timed(300)
  const sockets = new Set<Socket>()
  let next = 0
  const begin = () => {
    next += 1
    const localAddress = `127.0.${1 + ((next >> 7) % 100)}.${1 + (next & 127)}`
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
    socket.resume().write(hello.subarray(0, 1))
    sockets.add(socket)
  }
  let at = 1
  const timer = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write(hello.subarray(at, at + 1))
    at += 1
    for (let left = Math.min(500, SLOW - sockets.size); left > 0; left -= 1) begin()
  }, 1_000)
  for (let i = 0; i < SLOW; i += 1) {
    begin()
    if (i % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const besideMs = await timed(300)
  clearInterval(timer)
  return { aloneMs, besideMs }
}

const KINDS: Readonly<Record<string, () => Promise<object>>> = { bulk, short, idle, stalled, slow }
const run = KINDS[kind]
if (run === undefined) throw new Error(`unknown kind ${kind}: one of ${Object.keys(KINDS).join(', ')}`)
console.log(JSON.stringify(await run()))
if (kind === 'idle') await new Promise((resolve) => process.stdin.once('data', resolve).resume())
process.exit()
