import { createServer, type Socket } from 'node:net'
import type { Fault, FaultRow, Stage, UpstreamDialect } from './fault-table.ts'
import { asList, SPEECHES, type Speech } from './speech.ts'

/** What an upstream does when it is asked for a model. `heard` resolves when the client has read what goes before. */
export type Plan = { readonly row: Pick<FaultRow, 'form' | 'fault' | 'stage'> | null; readonly heard: Promise<unknown> }

export const LONG = 'x'.repeat(5 * 2 ** 20)

/**
 * An upstream of every dialect, whose answer fails at a byte. The dialect is the first part of its path.
 * @param planOf by the model that is asked for; a plan without a row answers well
 */
export async function startFaultyUpstream(planOf: (model: string) => Plan) {
  const asked = new Map<string, number>()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    let text = ''
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      const request = requestIn(text)
      if (request === null) return
      text = ''
      asked.set(request.model, (asked.get(request.model) ?? 0) + 1)
      const { row, heard } = planOf(request.model)
      if (row === null) socket.end(wholeAnswer(request.speech, request.isStream))
      else void commit(socket, row, request.speech, heard)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  return {
    /** Of one dialect. */
    urlOf: (dialect: UpstreamDialect) => `http://127.0.0.1:${port}/${dialect}/v1`,
    /** How often a model was asked for. */
    askedFor: (model: string): number => asked.get(model) ?? 0,
    close(): Promise<void> {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** A request that is complete; null: it is not yet. */
function requestIn(text: string): { model: string; speech: Speech; isStream: boolean } | null {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return null
  const length = Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? 0)
  const body = text.slice(end + 4)
  if (body.length < length) return null
  const path = text.split(' ', 2)[1] ?? ''
  const dialect = path.split('/')[1] as UpstreamDialect
  const speech = SPEECHES[dialect]
  const named = /\/models\/([^:]+):(\w+)/.exec(path)
  if (named !== null) {
    const isStream = named[2] === 'streamGenerateContent'
    return { model: named[1] ?? '', isStream, speech: isStream && !path.includes('alt=sse') ? asList(speech) : speech }
  }
  const { model, stream } = JSON.parse(body)
  return { model, isStream: stream === true, speech }
}

const head = (type: string) =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n`
const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
const END = '0\r\n\r\n'
const bodyOf = (speech: Speech) => speech.frames.map(([, text]) => text).join('')

function wholeAnswer(speech: Speech, isStream: boolean): string {
  return isStream
    ? head(speech.streamType) + chunk(bodyOf(speech)) + END
    : head('application/json') + chunk(speech.whole) + END
}

async function commit(
  socket: Socket,
  { form, fault, stage }: NonNullable<Plan['row']>,
  speech: Speech,
  heard: Plan['heard'],
): Promise<void> {
  if (fault === 'slow') return drip(socket)
  const isStream = form === 'stream'
  if (fault === 'page') return void socket.end(head('text/html') + chunk('<html>Bad Gateway</html>') + END)
  if (fault === 'whole' || fault === 'stream') return void socket.end(wholeAnswer(speech, fault === 'stream'))
  if (fault === 'oversized' && stage === 'in headers')
    return void socket.end(`HTTP/1.1 200 OK\r\nx-long: ${'x'.repeat(2 ** 16)}\r\n${wholeAnswer(speech, isStream)}`)
  const type = isStream ? speech.streamType : 'application/json'
  const isAnEvent = fault === 'garbage' || fault === 'error'
  const sent = isStream ? streamUpTo(stage, speech, isAnEvent) : bodyUpTo(stage, speech)
  const isInBody = stage !== 'before headers' && stage !== 'in headers'
  const before = isInBody
    ? head(type) + (sent === '' ? '' : chunk(sent))
    : stage === 'in headers'
      ? head(type).slice(0, 20)
      : ''
  if (fault === 'reset') {
    if (before !== '') socket.write(before)
    await heard // a reset takes back what was not read yet
    socket.resetAndDestroy()
  } else if (fault === 'cut') socket.end(before)
  else if (fault === 'stall') socket.write(before)
  else socket.end(before + after(fault, isInBody, isStream, sent === '' ? asFirst(speech) : speech))
}

/** In a list, what comes first has a bracket in place of a comma. */
const asFirst = (speech: Speech): Speech => ({ ...speech, error: speech.error.replace(/^,\n/, '[') })

/** What comes after the bytes that are well. */
function after(fault: Fault, isInBody: boolean, isStream: boolean, speech: Speech): string {
  if (!isInBody) return '\u0001\u0002 no HTTP\r\n\r\n'
  switch (fault) {
    case 'garbage':
      return chunk(isStream ? speech.garbage : '{"x":\u0001') + END
    case 'error':
      return chunk(isStream ? speech.error : speech.wholeError) + END
    case 'oversized':
      return chunk(speech.say(LONG) + restAfterContent(speech)) + END
    case 'more':
      return chunk(speech.say('more') + (speech.frames.at(-1)?.[1] ?? '')) + END
    case 'trailing':
      return `${END}HTTP/1.1 200 OK\r\n\r\n\u0001`
    default:
      return END
  }
}

const firstOf = ({ frames }: Speech, mark: Speech['frames'][number][0]) => frames.findIndex(([one]) => one === mark)
const upTo = ({ frames }: Speech, end: number) =>
  frames
    .slice(0, end)
    .map(([, text]) => text)
    .join('')
const half = (text: string) => text.slice(0, Math.floor(text.length / 2))
const restAfterContent = (speech: Speech) => bodyOf(speech).slice(upTo(speech, firstOf(speech, 'content') + 1).length)

/** @param isWhole an event follows: none may be in halves */
function streamUpTo(stage: Stage, speech: Speech, isWhole: boolean): string {
  const { frames } = speech
  const content = firstOf(speech, 'content')
  const at = (index: number) => frames[index]?.[1] ?? ''
  switch (stage) {
    case 'in the first event':
      return half(at(0))
    case 'after content':
      return upTo(speech, content + 1)
    case 'in an event':
      return upTo(speech, content + 1) + half(at(content + 1))
    case 'in arguments': {
      const first = firstOf(speech, 'arguments')
      const isInPieces = frames.filter(([mark]) => mark === 'arguments').length > 1
      return isInPieces ? upTo(speech, first + 1) : upTo(speech, first) + (isWhole ? '' : half(at(first)))
    }
    case 'before the end':
      return upTo(speech, firstOf(speech, 'finish') === -1 ? frames.length - 1 : firstOf(speech, 'finish'))
    case 'before the last event':
      return upTo(speech, frames.length - 1)
    case 'after the end':
      return bodyOf(speech)
    default:
      return ''
  }
}

function bodyUpTo(stage: Stage, { whole }: Speech): string {
  if (stage === 'in the body') return half(whole).replace(/[}\]]+$/, '') // where no object seems complete
  return stage === 'after the end' ? whole : ''
}

/** Headers that never end. */
function drip(socket: Socket): void {
  const text = `HTTP/1.1 200 OK\r\nx-slow: ${'x'.repeat(10_000)}`
  let at = 0
  const timer = setInterval(() => {
    socket.write(text[at] ?? 'x')
    at += 1
  }, 20)
  socket.on('close', () => clearInterval(timer))
}
