import { requestFields } from './h2-client.ts'
import {
  continuation,
  data,
  FLAG,
  frame,
  headers,
  PREFACE,
  ping,
  priority,
  reset,
  SETTING,
  settings,
  TYPE,
  uint32,
  windowUpdate,
} from './h2-frames.ts'
import { type Field, indexedLiteral, integer, literals } from './hpack.ts'

/** What a server must make of a case: `connection CODE` and `stream CODE` are errors, of which the former may stand for the latter. */
export type Verdict = 'answered' | 'ignored' | 'closed' | `connection ${string}` | `stream ${string}`

/** One case of RFC 9113 or, where the section says so, 7541. */
export type H2Case = {
  readonly section: string
  readonly name: string
  /** Sent instead of the preface and the settings. */
  readonly opening?: readonly Buffer[]
  /** Requests on stream 1, the answer to which is awaited before the case. */
  readonly first?: readonly Buffer[]
  readonly send: readonly Buffer[]
  /** The stream whose answer is awaited where one is due; 1 unless given. */
  readonly stream?: number
  /** Any of these is right. */
  readonly expect: readonly Verdict[]
  /** What nghttp2 and node:http2 do instead, and why that harms nothing. */
  readonly deviates?: { readonly to: Verdict; readonly as: string }
}

/** The key that the server under test was started with. */
export const H2_KEY = 'gate_h2-cases-0123456789abcdefghijklmnopqrst'
const BODY = '{"model":"echo","messages":[{"role":"user","content":"hi"}]}'
const POST_FIELDS: readonly Field[] = [
  ['authorization', `Bearer ${H2_KEY}`],
  ['content-type', 'application/json'],
]

const GET_FIELDS = requestFields('GET', '/health')
const GET_BLOCK = literals(GET_FIELDS)
const get = (stream: number, more: readonly Field[] = []) => headers(stream, literals([...GET_FIELDS, ...more]))
/** A request whose body is still to come. */
const open = (stream: number, more: readonly Field[] = []) =>
  headers(stream, literals([...requestFields('POST', '/v1/chat/completions', POST_FIELDS), ...more]), FLAG.endHeaders)
const fields = (...pairs: readonly Field[]) => headers(1, literals(pairs))
const without = (name: string) => GET_FIELDS.filter(([field]) => field !== name)
const padded = (padding: number, content: Buffer, claimed = padding) =>
  Buffer.concat([Buffer.of(claimed), content, Buffer.alloc(padding)])
const raw = (...bytes: readonly number[]) => Buffer.of(...bytes)

const PROTOCOL: Verdict = 'connection PROTOCOL_ERROR'
const SIZE: Verdict = 'connection FRAME_SIZE_ERROR'
const COMPRESSION: Verdict = 'connection COMPRESSION_ERROR'
const CLOSED: readonly Verdict[] = ['stream STREAM_CLOSED', 'connection STREAM_CLOSED']
const MALFORMED: readonly Verdict[] = ['stream PROTOCOL_ERROR', PROTOCOL]

/** nghttp2 keeps no list of closed streams, and so takes what is sent on one for a frame that was under way. */
const FORGOTTEN = 'the frame is read, so that the tables of both sides stay the same, and has no effect'
/** @see https://nghttp2.org/documentation/types.html#c.nghttp2_on_invalid_header_callback */
const DROPPED = 'the field is dropped before the gateway sees it, and never passed on'

const OPENING = [PREFACE, settings(), frame(TYPE.settings, FLAG.ack, 0)]

/** h2spec's cases and some of our own; the sections are those of RFC 9113, in their order. */
export const H2_CASES: readonly H2Case[] = [
  { section: '3.4', name: 'a preface and a request', send: [get(1)], expect: ['answered'] },
  {
    section: '3.4',
    name: 'a preface that is not one',
    opening: [Buffer.from('INVALID CONNECTION PREFACE\r\n\r\n')],
    send: [],
    expect: [PROTOCOL, 'closed'],
    deviates: { to: 'connection INTERNAL_ERROR', as: 'the code differs; the connection ends' },
  },
  {
    section: '3.4',
    name: 'a preface that no SETTINGS follow',
    opening: [PREFACE],
    send: [get(1)],
    expect: [PROTOCOL],
  },
  {
    section: '3.4',
    name: 'a preface, settings and a request before the settings of the server',
    opening: [...OPENING, get(1)],
    send: [],
    expect: ['answered'],
  },

  {
    section: '4.1',
    name: 'a frame of an unknown type',
    send: [frame(0x16, 0, 0, Buffer.alloc(8))],
    expect: ['ignored'],
  },
  {
    section: '4.1',
    name: 'a PING with undefined flags',
    send: [ping('x', 0x16 & ~FLAG.ack)],
    expect: ['ignored'],
  },
  {
    section: '4.1',
    name: 'a reserved bit in the stream identifier',
    send: [frame(TYPE.ping, 0, 0x80000000, Buffer.alloc(8))],
    expect: ['ignored'],
  },
  {
    section: '4.2',
    name: 'DATA of 2^14 bytes',
    send: [open(1), data(1, BODY + ' '.repeat(2 ** 14 - BODY.length))],
    expect: ['answered'],
  },
  {
    section: '4.2',
    name: 'DATA of 2^14 + 1 bytes',
    send: [open(1), data(1, 'x'.repeat(2 ** 14 + 1))],
    expect: [SIZE, 'stream FRAME_SIZE_ERROR'],
  },
  {
    section: '4.2',
    name: 'HEADERS of 2^14 + 1 bytes',
    send: [headers(1, Buffer.concat([GET_BLOCK, Buffer.alloc(2 ** 14 + 1 - GET_BLOCK.length)]))],
    expect: [SIZE],
  },
  {
    section: '4.2',
    name: 'SETTINGS of 2^14 + 2 bytes',
    send: [frame(TYPE.settings, 0, 0, Buffer.alloc(2 ** 14 + 2))],
    expect: [SIZE],
  },
  {
    section: '4.3',
    name: 'a header block that cannot be read',
    send: [headers(1, raw(0x40, 0x01, 0x61, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))],
    expect: [COMPRESSION],
  },
  {
    section: '4.3',
    name: 'a header block that is cut off',
    send: [headers(1, GET_BLOCK.subarray(0, -3))],
    expect: [COMPRESSION],
  },
  {
    section: '4.3',
    name: 'PRIORITY between HEADERS and CONTINUATION',
    send: [headers(1, GET_BLOCK, FLAG.endStream), priority(1, 0), continuation(1, Buffer.of())],
    expect: [PROTOCOL],
  },
  {
    section: '4.3',
    name: 'HEADERS of another stream between HEADERS and CONTINUATION',
    send: [headers(1, GET_BLOCK, FLAG.endStream), get(3), continuation(1, Buffer.of())],
    expect: [PROTOCOL],
  },

  { section: '5.1', name: 'idle: DATA', send: [data(1, 'x')], expect: [PROTOCOL] },
  { section: '5.1', name: 'idle: RST_STREAM', send: [reset(1, 8)], expect: [PROTOCOL] },
  { section: '5.1', name: 'idle: WINDOW_UPDATE', send: [windowUpdate(1, 100)], expect: [PROTOCOL] },
  { section: '5.1', name: 'idle: CONTINUATION', send: [continuation(1, GET_BLOCK)], expect: [PROTOCOL] },
  { section: '5.1', name: 'idle: PRIORITY', send: [priority(1, 0)], expect: ['ignored'] },
  { section: '5.1', name: 'half closed (remote): DATA', send: [get(1), data(1, 'x')], expect: CLOSED },
  { section: '5.1', name: 'half closed (remote): HEADERS', send: [get(1), get(1)], expect: CLOSED },
  {
    section: '5.1',
    name: 'half closed (remote): CONTINUATION',
    send: [get(1), continuation(1, GET_BLOCK)],
    expect: [...CLOSED, PROTOCOL],
  },
  {
    section: '5.1',
    name: 'half closed (remote): WINDOW_UPDATE',
    send: [get(1), windowUpdate(1, 9)],
    expect: ['answered'],
  },
  { section: '5.1', name: 'half closed (remote): PRIORITY', send: [get(1), priority(1, 0)], expect: ['answered'] },
  { section: '5.1', name: 'half closed (remote): RST_STREAM', send: [get(1), reset(1, 8)], expect: ['ignored'] },
  {
    section: '5.1',
    name: 'closed by RST_STREAM: DATA',
    send: [open(1), reset(1, 8), data(1, 'x')],
    expect: CLOSED,
    deviates: { to: 'ignored', as: FORGOTTEN },
  },
  {
    section: '5.1',
    name: 'closed by RST_STREAM: HEADERS',
    send: [open(1), reset(1, 8), get(1)],
    expect: CLOSED,
    deviates: { to: 'ignored', as: FORGOTTEN },
  },
  {
    section: '5.1',
    name: 'closed by RST_STREAM: CONTINUATION',
    send: [open(1), reset(1, 8), continuation(1, GET_BLOCK)],
    expect: [...CLOSED, PROTOCOL],
  },
  {
    section: '5.1',
    name: 'closed: DATA',
    first: [get(1)],
    send: [data(1, 'x')],
    expect: CLOSED,
    deviates: { to: 'ignored', as: FORGOTTEN },
  },
  {
    section: '5.1',
    name: 'closed: HEADERS',
    first: [get(1)],
    send: [get(1)],
    expect: ['connection STREAM_CLOSED'],
    deviates: { to: 'ignored', as: FORGOTTEN },
  },
  {
    section: '5.1',
    name: 'closed: CONTINUATION',
    first: [get(1)],
    send: [continuation(1, GET_BLOCK)],
    expect: [...CLOSED, PROTOCOL],
  },
  { section: '5.1', name: 'closed: PRIORITY', first: [get(1)], send: [priority(1, 0)], expect: ['ignored'] },
  { section: '5.1', name: 'closed: WINDOW_UPDATE', first: [get(1)], send: [windowUpdate(1, 9)], expect: ['ignored'] },
  { section: '5.1', name: 'closed: RST_STREAM', first: [get(1)], send: [reset(1, 8)], expect: ['ignored'] },
  { section: '5.1.1', name: 'a stream of an even number', send: [get(2)], expect: [PROTOCOL] },
  { section: '5.1.1', name: 'stream 0', send: [get(0)], expect: [PROTOCOL] },
  {
    section: '5.1.1',
    name: 'a stream below one that was opened',
    send: [open(5), get(3)],
    expect: [PROTOCOL],
    deviates: { to: 'ignored', as: FORGOTTEN },
  },
  {
    section: '5.1.1',
    name: 'the last stream that there can be',
    send: [get(2 ** 31 - 1)],
    stream: 2 ** 31 - 1,
    expect: ['answered'],
  },
  {
    section: '5.1.2',
    name: 'more streams than the server allows',
    send: Array.from({ length: 400 }, (_, i) => open(2 * i + 1)),
    expect: ['stream REFUSED_STREAM', ...MALFORMED],
  },
  {
    section: '5.3',
    name: 'HEADERS that depend on themselves',
    send: [
      headers(1, Buffer.concat([uint32(1), raw(15), GET_BLOCK]), FLAG.endStream | FLAG.endHeaders | FLAG.priority),
    ],
    expect: [...MALFORMED, 'answered'],
  },
  {
    section: '5.3',
    name: 'PRIORITY that depends on itself',
    send: [priority(1, 1)],
    expect: [...MALFORMED, 'ignored'],
  },
  {
    section: '5.3',
    name: 'HEADERS with a priority',
    send: [
      headers(1, Buffer.concat([uint32(0), raw(255), GET_BLOCK]), FLAG.endStream | FLAG.endHeaders | FLAG.priority),
    ],
    expect: ['answered'],
  },
  {
    section: '5.3',
    name: 'HEADERS too short for the priority that they claim',
    send: [headers(1, raw(0, 0), FLAG.endStream | FLAG.endHeaders | FLAG.priority)],
    expect: [SIZE, PROTOCOL],
  },
  {
    section: '5.4.1',
    name: 'a PING of 6 bytes, after which the connection ends',
    send: [frame(TYPE.ping, 0, 0, Buffer.alloc(6))],
    expect: [SIZE],
  },
  {
    section: '5.5',
    name: 'an unknown frame on a stream that is idle',
    send: [frame(0x20, 0xff, 7, Buffer.alloc(100))],
    expect: ['ignored'],
  },
  {
    section: '5.5',
    name: 'an unknown frame in the middle of a header block',
    send: [headers(1, GET_BLOCK, FLAG.endStream), frame(0x16, 0, 1, Buffer.alloc(8)), continuation(1, Buffer.of())],
    expect: [PROTOCOL],
  },

  { section: '6.1', name: 'DATA on stream 0', send: [data(0, 'x')], expect: [PROTOCOL] },
  {
    section: '6.1',
    name: 'DATA with padding',
    send: [open(1), frame(TYPE.data, FLAG.endStream | FLAG.padded, 1, padded(9, Buffer.from(BODY)))],
    expect: ['answered'],
  },
  {
    section: '6.1',
    name: 'DATA in several frames, one of them empty',
    send: [open(1), data(1, BODY.slice(0, 9), 0), data(1, '', 0), data(1, BODY.slice(9))],
    expect: ['answered'],
  },
  {
    section: '6.1',
    name: 'DATA with more padding than there are bytes',
    send: [open(1), frame(TYPE.data, FLAG.endStream | FLAG.padded, 1, padded(0, Buffer.from('x'), 6))],
    expect: [PROTOCOL],
  },
  {
    section: '6.2',
    name: 'HEADERS without an end, then PRIORITY',
    send: [headers(1, GET_BLOCK, FLAG.endStream), priority(3, 0)],
    expect: [PROTOCOL],
  },
  {
    section: '6.2',
    name: 'HEADERS without an end, then HEADERS of another stream',
    send: [headers(1, GET_BLOCK, FLAG.endStream), get(3)],
    expect: [PROTOCOL],
  },
  { section: '6.2', name: 'HEADERS on stream 0', send: [headers(0, GET_BLOCK)], expect: [PROTOCOL] },
  {
    section: '6.2',
    name: 'HEADERS with padding',
    send: [headers(1, padded(5, GET_BLOCK), FLAG.endStream | FLAG.endHeaders | FLAG.padded)],
    expect: ['answered'],
  },
  {
    section: '6.2',
    name: 'HEADERS with more padding than there are bytes',
    send: [headers(1, padded(0, GET_BLOCK, 255), FLAG.endStream | FLAG.endHeaders | FLAG.padded)],
    expect: [PROTOCOL],
  },
  {
    section: '6.3',
    name: 'PRIORITY on stream 0',
    send: [priority(0, 0)],
    expect: [PROTOCOL],
    deviates: { to: 'ignored', as: 'priorities mean nothing here' },
  },
  {
    section: '6.3',
    name: 'PRIORITY of 4 bytes',
    send: [get(1), frame(TYPE.priority, 0, 1, Buffer.alloc(4))],
    expect: ['stream FRAME_SIZE_ERROR', SIZE],
  },
  { section: '6.4', name: 'RST_STREAM on stream 0', send: [reset(0, 8)], expect: [PROTOCOL] },
  { section: '6.4', name: 'RST_STREAM on an idle stream', send: [reset(9, 8)], expect: [PROTOCOL] },
  {
    section: '6.4',
    name: 'RST_STREAM of 3 bytes',
    send: [open(1), frame(TYPE.reset, 0, 1, Buffer.alloc(3))],
    expect: [SIZE],
  },
  { section: '6.5', name: 'SETTINGS', send: [settings([SETTING.streams, 100])], expect: ['ignored'] },
  {
    section: '6.5',
    name: 'an ACK of SETTINGS with a payload',
    send: [frame(TYPE.settings, FLAG.ack, 0, raw(0))],
    expect: [SIZE],
  },
  { section: '6.5', name: 'SETTINGS on stream 1', send: [frame(TYPE.settings, 0, 1)], expect: [PROTOCOL] },
  {
    section: '6.5',
    name: 'SETTINGS of 3 bytes',
    send: [frame(TYPE.settings, 0, 0, Buffer.alloc(3))],
    expect: [SIZE],
  },
  { section: '6.5.2', name: 'ENABLE_PUSH of 2', send: [settings([SETTING.push, 2])], expect: [PROTOCOL] },
  {
    section: '6.5.2',
    name: 'INITIAL_WINDOW_SIZE of 2^31',
    send: [settings([SETTING.window, 2 ** 31])],
    expect: ['connection FLOW_CONTROL_ERROR'],
  },
  {
    section: '6.5.2',
    name: 'MAX_FRAME_SIZE below 2^14',
    send: [settings([SETTING.frameSize, 2 ** 14 - 1])],
    expect: [PROTOCOL],
  },
  {
    section: '6.5.2',
    name: 'MAX_FRAME_SIZE of 2^24',
    send: [settings([SETTING.frameSize, 2 ** 24])],
    expect: [PROTOCOL],
  },
  { section: '6.5.2', name: 'an unknown setting', send: [settings([0xff, 1])], expect: ['ignored'] },
  {
    section: '6.5.2',
    name: 'a table of no bytes',
    send: [settings([SETTING.tableSize, 0]), get(1)],
    expect: ['answered'],
  },
  {
    section: '6.5.3',
    name: 'several INITIAL_WINDOW_SIZE, of which the last counts',
    send: [settings([SETTING.window, 100], [SETTING.window, 65_535]), get(1)],
    expect: ['answered'],
  },
  { section: '6.6', name: 'PUSH_PROMISE of a client', send: [get(1), pushPromise()], expect: [PROTOCOL] },
  { section: '6.7', name: 'PING', send: [ping('x')], expect: ['ignored'] },
  {
    section: '6.7',
    name: 'an ACK of a PING that was not sent',
    send: [ping('x', FLAG.ack)],
    expect: ['ignored'],
    deviates: { to: 'connection INTERNAL_ERROR', as: 'only its sender loses by it' },
  },
  {
    section: '6.7',
    name: 'PING on stream 1',
    send: [frame(TYPE.ping, 0, 1, Buffer.alloc(8))],
    expect: [PROTOCOL],
  },
  { section: '6.7', name: 'PING of 9 bytes', send: [frame(TYPE.ping, 0, 0, Buffer.alloc(9))], expect: [SIZE] },
  {
    section: '6.8',
    name: 'GOAWAY on stream 1',
    send: [frame(TYPE.goAway, 0, 1, uint32(0, 0))],
    expect: [PROTOCOL],
  },
  {
    section: '6.8',
    name: 'GOAWAY of 4 bytes',
    send: [frame(TYPE.goAway, 0, 0, uint32(0))],
    expect: [SIZE],
  },
  { section: '6.9', name: 'WINDOW_UPDATE', send: [windowUpdate(0, 100)], expect: ['ignored'] },
  { section: '6.9', name: 'WINDOW_UPDATE by 0', send: [windowUpdate(0, 0)], expect: [PROTOCOL] },
  { section: '6.9', name: 'WINDOW_UPDATE by 0 on a stream', send: [open(1), windowUpdate(1, 0)], expect: MALFORMED },
  {
    section: '6.9',
    name: 'WINDOW_UPDATE of 3 bytes',
    send: [frame(TYPE.windowUpdate, 0, 0, Buffer.alloc(3))],
    expect: [SIZE],
  },
  {
    section: '6.9.1',
    name: 'a window of one byte, opened later',
    send: [settings([SETTING.window, 1]), get(1), windowUpdate(1, 60_000)],
    expect: ['answered'],
  },
  {
    section: '6.9.1',
    name: 'a window of the connection above 2^31 - 1',
    send: [windowUpdate(0, 2 ** 31 - 1), windowUpdate(0, 2 ** 31 - 1)],
    expect: ['connection FLOW_CONTROL_ERROR'],
  },
  {
    section: '6.9.1',
    name: 'a window of a stream above 2^31 - 1',
    send: [open(1), windowUpdate(1, 2 ** 31 - 1), windowUpdate(1, 2 ** 31 - 1)],
    expect: ['stream FLOW_CONTROL_ERROR', 'connection FLOW_CONTROL_ERROR'],
  },
  {
    section: '6.9.2',
    name: 'INITIAL_WINDOW_SIZE raised after HEADERS',
    send: [settings([SETTING.window, 0]), get(1), settings([SETTING.window, 60_000])],
    expect: ['answered'],
  },
  {
    section: '6.9.2',
    name: 'INITIAL_WINDOW_SIZE that takes the window of a stream above 2^31 - 1',
    send: [open(1), windowUpdate(1, 2 ** 31 - 1 - 65_535), settings([SETTING.window, 65_536])],
    expect: ['connection FLOW_CONTROL_ERROR'],
  },
  {
    section: '6.10',
    name: 'several CONTINUATIONs',
    send: [
      headers(1, GET_BLOCK.subarray(0, 10), FLAG.endStream),
      continuation(1, GET_BLOCK.subarray(10, 30), 0),
      continuation(1, GET_BLOCK.subarray(30)),
    ],
    expect: ['answered'],
  },
  {
    section: '6.10',
    name: 'CONTINUATION, then HEADERS before its end',
    send: [headers(1, GET_BLOCK, FLAG.endStream), continuation(1, Buffer.of(), 0), get(3)],
    expect: [PROTOCOL],
  },
  {
    section: '6.10',
    name: 'CONTINUATION on stream 0',
    send: [headers(1, GET_BLOCK, FLAG.endStream), continuation(0, Buffer.of())],
    expect: [PROTOCOL],
  },
  {
    section: '6.10',
    name: 'CONTINUATION after HEADERS that had an end',
    send: [open(1), continuation(1, Buffer.of())],
    expect: [PROTOCOL],
  },
  {
    section: '6.10',
    name: 'CONTINUATION after one that had an end',
    send: [headers(1, GET_BLOCK, FLAG.endStream), continuation(1, Buffer.of()), continuation(1, Buffer.of())],
    expect: [PROTOCOL],
  },
  {
    section: '6.10',
    name: 'CONTINUATION after DATA',
    send: [open(1), data(1, 'x', 0), continuation(1, Buffer.of())],
    expect: [PROTOCOL],
  },

  {
    section: '7',
    name: 'RST_STREAM with an unknown code',
    send: [open(1), reset(1, 0xff), get(3)],
    stream: 3,
    expect: ['answered'],
  },

  {
    section: '8.1',
    name: 'a body and trailers',
    send: [open(1), data(1, BODY, 0), headers(1, literals([['x-trailer', 'a']]))],
    expect: ['answered'],
  },
  {
    section: '8.1',
    name: 'a second HEADERS without an end of the stream',
    send: [open(1), headers(1, literals([['x-trailer', 'a']]), FLAG.endHeaders)],
    expect: MALFORMED,
  },
  {
    section: '8.1',
    name: 'a pseudo-header in trailers',
    send: [open(1), data(1, BODY, 0), headers(1, literals([[':method', 'GET']]))],
    expect: MALFORMED,
  },
  { section: '8.1', name: 'HEAD', send: [fields([':method', 'HEAD'], ...without(':method'))], expect: ['answered'] },
  { section: '8.2', name: 'a name in upper case', send: [get(1, [['X-Upper', 'a']])], expect: MALFORMED },
  {
    section: '8.2.1',
    name: 'a name with a space',
    send: [get(1, [['x a', 'a']])],
    expect: MALFORMED,
    deviates: { to: 'answered', as: DROPPED },
  },
  {
    section: '8.2.1',
    name: 'a name with a colon',
    send: [get(1, [['x:a', 'a']])],
    expect: MALFORMED,
    deviates: { to: 'answered', as: DROPPED },
  },
  {
    section: '8.2.1',
    name: 'a name with a line break',
    send: [get(1, [['x\r\na', 'a']])],
    expect: MALFORMED,
    deviates: { to: 'answered', as: DROPPED },
  },
  {
    section: '8.2.1',
    name: 'an empty name',
    send: [get(1, [['', 'a']])],
    expect: MALFORMED,
    deviates: { to: 'answered', as: DROPPED },
  },
  {
    section: '8.2.1',
    name: 'a value with a line break',
    send: [get(1, [['x-a', 'a\r\nx-b: b']])],
    expect: MALFORMED,
    deviates: { to: 'answered', as: DROPPED },
  },
  {
    section: '8.2.1',
    name: 'a value with NUL',
    send: [get(1, [['x-a', 'a\0b']])],
    expect: MALFORMED,
    deviates: { to: 'answered', as: DROPPED },
  },
  {
    section: '8.2.1',
    name: 'a value that begins with a space',
    send: [get(1, [['x-a', ' a']])],
    expect: MALFORMED,
    deviates: { to: 'answered', as: DROPPED },
  },
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'].map(
    (name): H2Case => ({
      section: '8.2.2',
      name: `the header ${name} of HTTP/1.1`,
      send: [get(1, [[name, name === 'transfer-encoding' ? 'chunked' : 'keep-alive']])],
      expect: MALFORMED,
    }),
  ),
  { section: '8.2.2', name: 'TE: trailers', send: [get(1, [['te', 'trailers']])], expect: ['answered'] },
  { section: '8.2.2', name: 'TE of another value', send: [get(1, [['te', 'trailers, deflate']])], expect: MALFORMED },
  { section: '8.3', name: 'an unknown pseudo-header', send: [get(1, [[':test', 'a']])], expect: MALFORMED },
  {
    section: '8.3',
    name: 'a pseudo-header of answers',
    send: [fields([':status', '200'], ...GET_FIELDS)],
    expect: MALFORMED,
  },
  {
    section: '8.3',
    name: 'a pseudo-header after a header',
    send: [fields(...without(':path'), ['x-a', 'a'], [':path', '/health'])],
    expect: MALFORMED,
  },
  {
    section: '8.3.1',
    name: 'an empty :path',
    send: [fields(...without(':path'), [':path', ''])],
    expect: MALFORMED,
  },
  ...[':method', ':scheme', ':path'].flatMap((name): H2Case[] => [
    { section: '8.3.1', name: `no ${name}`, send: [fields(...without(name))], expect: MALFORMED },
    {
      section: '8.3.1',
      name: `${name} twice`,
      send: [fields(...GET_FIELDS.filter(([field]) => field === name), ...GET_FIELDS)],
      expect: MALFORMED,
    },
  ]),
  {
    section: '8.3.1',
    name: ':authority twice',
    send: [fields(...GET_FIELDS, [':authority', 'localhost'])],
    expect: MALFORMED,
  },
  {
    section: '8.1.1',
    name: 'a content-length above the body',
    send: [open(1, [['content-length', String(BODY.length + 1)]]), data(1, BODY)],
    expect: MALFORMED,
  },
  {
    section: '8.1.1',
    name: 'a content-length below the body, which has two parts',
    send: [open(1, [['content-length', '9']]), data(1, BODY.slice(0, 9), 0), data(1, BODY.slice(9))],
    expect: MALFORMED,
    deviates: { to: 'connection INTERNAL_ERROR', as: 'the whole connection ends' },
  },
  { section: '8.4', name: 'PUSH_PROMISE on a new stream', send: [pushPromise()], expect: [PROTOCOL] },

  {
    section: '7541 2.3.3',
    name: 'an index that the table has not',
    send: [headers(1, integer(70, 7, 0x80))],
    expect: [COMPRESSION],
  },
  {
    section: '7541 2.3.2',
    name: 'a field taken from the dynamic table',
    first: [headers(1, Buffer.concat([GET_BLOCK, indexedLiteral(['x-a', 'a'])]))],
    send: [headers(3, Buffer.concat([GET_BLOCK, integer(62, 7, 0x80)]))],
    stream: 3,
    expect: ['answered'],
  },
  {
    section: '7541 4.2',
    name: 'a new size of the table at the end of a block',
    send: [headers(1, Buffer.concat([GET_BLOCK, integer(0, 5, 0x20)]))],
    expect: [COMPRESSION],
  },
  {
    section: '7541 4.2',
    name: 'a new size of the table at the start of a block, twice',
    send: [headers(1, Buffer.concat([integer(0, 5, 0x20), integer(128, 5, 0x20), GET_BLOCK]))],
    expect: ['answered'],
  },
  {
    section: '7541 5.1',
    name: 'a number that has no end',
    send: [headers(1, Buffer.concat([raw(0xff), Buffer.alloc(20, 0xff)]))],
    expect: [COMPRESSION],
  },
  {
    section: '7541 5.2',
    name: 'padding of more than 7 bits after Huffman codes',
    send: [headers(1, Buffer.concat([GET_BLOCK, huffman(0x49, 0x7f, 0xff, 0xff)]))],
    expect: [COMPRESSION],
  },
  {
    section: '7541 5.2',
    name: 'padding of zeros after Huffman codes',
    send: [headers(1, Buffer.concat([GET_BLOCK, huffman(0x49, 0x50)]))],
    expect: [COMPRESSION],
  },
  {
    section: '7541 5.2',
    name: 'the end symbol in Huffman codes',
    send: [headers(1, Buffer.concat([GET_BLOCK, huffman(0xff, 0xff, 0xff, 0xff)]))],
    expect: [COMPRESSION],
  },
  {
    section: '7541 6.1',
    name: 'index 0',
    send: [headers(1, Buffer.concat([GET_BLOCK, raw(0x80)]))],
    expect: [COMPRESSION],
  },
  {
    section: '7541 6.3',
    name: 'a table larger than the server allows',
    send: [headers(1, Buffer.concat([integer(2 ** 20, 5, 0x20), GET_BLOCK]))],
    expect: [COMPRESSION],
  },
]

function pushPromise(): Buffer {
  return frame(TYPE.pushPromise, FLAG.endHeaders, 1, Buffer.concat([uint32(2), GET_BLOCK]))
}

/** A header `x-a` whose value is in Huffman codes, given as bytes. */
function huffman(...bytes: readonly number[]): Buffer {
  const name = Buffer.concat([integer(3, 7), Buffer.from('x-a')])
  return Buffer.concat([raw(0), name, integer(bytes.length, 7, 0x80), raw(...bytes)])
}
