import { GateError } from '../../schemas/words/errors.ts'
import type { KeptAnswers } from '../translate/kept-form.ts'
import type { RecordedAnswer, RecordedForm } from '../translate/recorded-form.ts'
import type { Answer } from './answer.ts'
import { decoded, type Exchange } from './exchange.ts'
import type { Job } from './job.ts'
import { Recording } from './recording.ts'
import { sendJson } from './send-json.ts'
import type { RecordingsLimits } from './settings.ts'

/** One stream takes no more of memory than this, nor than this part of what there is for all. */
const MAX_STREAM_BYTES = 4 * 2 ** 20
const STREAM_SHARE = 0.25
/** What runs in the background can be followed from the start for so long after its end. */
const BACKGROUND_KEPT_MS = 300_000
/** What takes too much is looked for again when this part of what there is for all was added. */
const ROOM_STEP = 1 / 16
const HEADER = 'x-conversation-id'
/** A name that is the same in a header, as bytes, and in a path, as text. */
const CONVERSATION = /^[\x20-\x7e]{1,200}$/

export type Recordings = ReturnType<typeof createRecordings>

type Placed = {
  readonly keyId: string
  readonly names: readonly string[]
  readonly recording: Recording
  /** Runs from its end until it may be forgotten. */
  kept: NodeJS.Timeout | undefined
}

/**
 * The answers that go on without the client that asked for them. Each is found, by its key alone, under the id of a
 * response or the name of a conversation. @param now Unix milliseconds
 */
export function createRecordings(now: () => number, initial: RecordingsLimits) {
  let limits = initial
  /** In the order in which they began. */
  const all = new Set<Placed>()
  const byName = new Map<string, Placed>()
  /** What the recordings of each key take in memory, and of all. */
  const held = new Map<string, number>()
  let bytes = 0
  /** So much there was still, when nothing more could be let go. */
  let unavoidable = 0
  let isMakingRoom = false

  /** Lets go what takes too much: of the key that has most first, and first what the fewest will miss. */
  function makeRoom(): void {
    // what is let go says so, and would call this again for each
    if (isMakingRoom || bytes <= Math.max(limits.maxBytes, unavoidable)) return
    isMakingRoom = true
    try {
      letGo(greediest())
      letGo(null)
      unavoidable = bytes > limits.maxBytes ? bytes + limits.maxBytes * ROOM_STEP : 0
    } finally {
      isMakingRoom = false
    }
  }

  /** The key that has most. */
  function greediest(): string {
    let [greedy, most] = ['', 0]
    for (const [keyId, own] of held) if (own > most) [greedy, most] = [keyId, own]
    return greedy
  }

  /** @param of the key that gives way; null: all do */
  function letGo(of: string | null): void {
    const dropIdle = (placed: Placed) => {
      if (placed.recording.isIdle()) drop(placed)
    }
    const forget = ({ recording }: Placed) => recording.forget()
    const endAlone = (placed: Placed) => {
      placed.recording.endAlone()
      dropIdle(placed)
    }
    for (const step of [dropIdle, forget, endAlone]) {
      for (const placed of all) {
        if (bytes <= limits.maxBytes) return
        if (of === null || placed.keyId === of) step(placed)
      }
    }
  }

  function counted(keyId: string): (more: number) => void {
    return (more) => {
      bytes += more
      held.set(keyId, (held.get(keyId) ?? 0) + more)
      if (held.get(keyId) === 0) held.delete(keyId)
    }
  }

  function drop(placed: Placed): void {
    if (!all.delete(placed)) return
    clearTimeout(placed.kept)
    for (const name of placed.names) if (byName.get(name) === placed) byName.delete(name)
    placed.recording.clear()
  }

  function expire(placed: Placed): void {
    if (placed.recording.isIdle()) drop(placed)
    else placed.recording.once('left', () => expire(placed))
  }

  /** No client can come back to it any more. */
  function abandon(placed: Placed): void {
    placed.recording.endWhenAlone()
    if (placed.recording.isIdle()) drop(placed)
  }

  function checkBackground(keyId: string): void {
    if (limits.maxBackground === 0) {
      const message = 'no response may run in the background here (server.max_background); ask without it'
      throw new GateError('BAD_REQUEST', message, { param: 'background' })
    }
    const running = Array.from(all).filter(
      ({ recording }) => recording.form?.isBackground === true && !recording.isOver(),
    )
    const own = running.filter((placed) => placed.keyId === keyId).length
    if (running.length < limits.maxBackground && own < Math.ceil(limits.maxBackground / 2)) return
    const message = `too much runs in the background: ${own} of this key, ${running.length} of all (server.max_background)`
    throw new GateError('TOO_MANY_REQUESTS', `${message}; try again when a response is complete`, { retryAfterS: 5 })
  }

  function place(keyId: string, names: readonly string[], recording: Recording): void {
    const placed: Placed = { keyId, names: names.map((name) => nameOf(keyId, name)), recording, kept: undefined }
    for (const name of placed.names) {
      const before = byName.get(name)
      byName.set(name, placed)
      if (before?.names.every((one) => byName.get(one) !== before)) abandon(before)
    }
    all.add(placed)
    const keptMs = Math.max(limits.resumeForMs, recording.form?.isBackground === true ? BACKGROUND_KEPT_MS : 0)
    recording.once('close', () => {
      if (all.has(placed)) placed.kept = setTimeout(expire, keptMs, placed).unref()
    })
    recording.on('grown', makeRoom)
    recording.on('left', () => {
      unavoidable = 0
      makeRoom()
    })
  }

  const find = (keyId: string, name: string): Recording | null => byName.get(nameOf(keyId, name))?.recording ?? null

  function found(keyId: string, name: string): Recording {
    const recording = find(keyId, name)
    if (recording === null) throw new GateError('RESPONSE_NOT_FOUND', 'it is not kept any more')
    return recording
  }

  function followFrom(answer: Answer, method: string, name: string, from: number): void | Promise<void> {
    const recording = found(answer.progress.keyId, name)
    if (!recording.holds(from)) {
      const [first, end] = recording.kept()
      const message = `offset ${from} is not kept: ask for one from ${first} to ${end}`
      throw new GateError('RESPONSE_NOT_FOUND', message)
    }
    if (method === 'HEAD') return sendJson(answer, 200, {})
    return recording.follow(answer, from)
  }

  return {
    setLimits(next: RecordingsLimits): void {
      limits = next
      unavoidable = 0
      makeRoom()
    },
    /** Sends the events of a response after one, those that have not come yet included. @param number -1: of the first */
    follow(answer: Answer, method: string, id: string, number: number): void | Promise<void> {
      const recording = found(answer.progress.keyId, id)
      return method === 'HEAD' ? sendJson(answer, 200, {}) : recording.followAfter(answer, number)
    },
    /** What all of them take in memory. */
    heldBytes: () => bytes,

    /** What a dialect has recorded under an id. */
    recorded(keyId: string, id: string): RecordedAnswer | null {
      const recording = find(keyId, id)
      return recording !== null && hasForm(recording) ? recording : null
    },

    /**
     * From here on an answer may outlive its connection: it is recorded, and its client follows the recording.
     * @returns whether the recording sees to it that the answer is kept
     * @throws GateError BAD_REQUEST where nothing may run in the background, TOO_MANY_REQUESTS where too much does
     */
    begin({ answer, keyId, dialect, call, asked, hold }: Job, kept: KeptAnswers): boolean {
      const mayResume = limits.resumeForMs > 0 && asked.stream
      if (!mayResume && dialect.kept === undefined) return false
      const facts = { requestId: answer.requestId, nowS: Math.floor(now() / 1_000), hold }
      const form = dialect.kept?.record(call, kept, facts, mayResume) ?? null
      const conversation = mayResume ? conversationOf(call.headers[HEADER]) : null
      if ((form === null && conversation === null) || answer.isGone()) return false
      if (form?.isBackground === true) checkBackground(keyId)
      else if (bytes > limits.maxBytes) return false // there is no room for another one
      const mostBytes = limits.maxBytes * STREAM_SHARE
      const maxBytes = Math.min(MAX_STREAM_BYTES, mostBytes)
      const aloneMs = form?.isBackground === true ? null : limits.resumeForMs
      const recording = new Recording(form, { maxBytes, mostBytes, aloneMs }, counted(keyId))
      place(
        keyId,
        [form?.id, conversation].flatMap((name) => name ?? []),
        recording,
      )
      const client = answer.detach(recording)
      if (form !== null) start(recording, form, dialect.streamType)
      if (form === null || form.isStreamed) void recording.follow(client, 0)
      else sendJson(client, 200, form.shown())
      return form !== null
    },

    /** `GET /v1/streams/{conversation}?offset=N`: the bytes of its last stream from an offset on, and what follows. */
    page({ request, answer, url }: Exchange, param: string): void | Promise<void> {
      const offset = new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('offset') ?? '0'
      if (!/^\d{1,15}$/.test(offset)) {
        throw new GateError('BAD_REQUEST', '"offset" must be the number of bytes that you have', { param: 'offset' })
      }
      const name = conversationOf(decoded(param)) ?? ''
      if (find(answer.progress.keyId, name) === null) {
        const message =
          'there is no stream of this conversation: none was begun with its X-Conversation-Id and this key'
        throw new GateError('RESPONSE_NOT_FOUND', `${message}, or its time is over (server.resume_streams)`)
      }
      return followFrom(answer, request.method ?? '', name, Number(offset))
    },
  }
}

function start(recording: Recording, form: RecordedForm, streamType: string): void {
  const events = form.begin()
  if (events.length === 0) return
  recording.begin({ 'content-type': `${streamType}; charset=utf-8`, 'cache-control': 'no-cache' }, events)
}

const hasForm = (recording: Recording): recording is Recording & { readonly form: RecordedForm } =>
  recording.form !== null

const nameOf = (keyId: string, name: string): string => `${keyId} ${name}`

/** Names of conversations are none of responses. @throws GateError BAD_REQUEST */
function conversationOf(value: string | string[] | undefined): string | null {
  if (typeof value !== 'string' || value === '') return null
  if (CONVERSATION.test(value)) return `conversation ${value}`
  throw new GateError(
    'BAD_REQUEST',
    `the name of a conversation (${HEADER}) must be up to 200 printable ASCII characters`,
    {
      param: HEADER,
    },
  )
}
