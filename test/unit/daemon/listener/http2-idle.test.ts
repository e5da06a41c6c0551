import { EventEmitter } from 'node:events'
import type { ServerHttp2Session } from 'node:http2'
import { Socket } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { keepWhileUsed } from '../../../../daemon/listener/http2-idle.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

/** A session whose client answers pings, or not; what it is told is noted. */
function fakeSession(answers: boolean) {
  const told: string[] = []
  const session = Object.assign(new EventEmitter(), {
    destroyed: false,
    close: () => void told.push('close'),
    destroy: (_: undefined, code: number) => void told.push(`destroy ${code}`),
    ping(done: (error: Error | null) => void) {
      told.push('ping')
      if (answers) done(null)
    },
  })
  const socket = new Socket()
  const kept = keepWhileUsed(session as unknown as ServerHttp2Session, socket, 5_000)
  const begin = () => {
    const stream = Object.assign(new EventEmitter(), { id: 1, writableEnded: false })
    session.emit('stream', stream)
    return stream
  }
  return { session, socket, told, kept, begin }
}

test('a connection over which nothing is asked is closed sooner', () => {
  const { session, told, socket } = fakeSession(true)
  session.emit('remoteSettings')
  vi.advanceTimersByTime(5_000)
  expect(told).toEqual(['close'])
  vi.advanceTimersByTime(1_000)
  expect(socket.destroyed).toBe(true)
})

test('a connection without streams is closed after 75 seconds', () => {
  const { told, begin } = fakeSession(true)
  begin().emit('close')
  vi.advanceTimersByTime(74_999)
  expect(told).toEqual([])
  vi.advanceTimersByTime(1)
  expect(told).toEqual(['close'])
})

test('a client that answers pings is kept as long as its stream goes on', () => {
  const { told, socket, begin } = fakeSession(true)
  begin()
  vi.advanceTimersByTime(3_600_000)
  expect([new Set(told), socket.destroyed]).toEqual([new Set(['ping']), false])
})

test('a client that does not is dropped, whatever streams it has', () => {
  const { socket, begin } = fakeSession(false)
  begin()
  vi.advanceTimersByTime(74_999)
  expect(socket.destroyed).toBe(false)
  vi.advanceTimersByTime(1)
  expect(socket.destroyed).toBe(true)
})

test.each([
  { name: 'that is there', answers: true, dropped: false },
  { name: 'that is gone', answers: false, dropped: true },
])('at the end a client with a stream, $name: dropped after ten seconds $dropped', ({ answers, dropped }) => {
  const { socket, kept, begin } = fakeSession(answers)
  const stream = begin()
  kept.end()
  kept.end()
  vi.advanceTimersByTime(10_000)
  expect(socket.destroyed).toBe(dropped)
  stream.emit('close')
  kept.end()
  expect(socket.destroyed).toBe(true)
})

test('what is cut hears why, and has a second for that', () => {
  const { told, socket, kept } = fakeSession(true)
  kept.cut(11)
  expect([told, socket.destroyed]).toEqual([['destroy 11'], false])
  vi.advanceTimersByTime(1_000)
  expect(socket.destroyed).toBe(true)
})
