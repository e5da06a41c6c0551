import { createParser } from 'eventsource-parser'
import { createVerdicts } from '../../daemon/check/verdict.ts'
import type { Call } from '../../daemon/translate/call.ts'
import type { Dialect } from '../../daemon/translate/dialect.ts'
import { DIALECTS } from '../../daemon/translate/dialects.ts'
import { translate } from '../../daemon/translate/translation.ts'
import { GateError } from '../../schemas/words/errors.ts'
import type { Case } from './cases.ts'
import type { ReadEvent } from './checks.ts'

/** What came of a case. */
export type Run = {
  /** The body that the upstream gets. */
  readonly sent: string
  readonly dropped: readonly string[]
  /** What the client gets, byte for byte. */
  readonly shown: string
}

const TRUNCATED = new GateError('UPSTREAM_TRUNCATED', 'the upstream ended the stream before it was complete')

/** The bytes of an upstream's answer. */
export function answerBytes({ upstream_response: response }: Case): Buffer {
  return Buffer.from(Array.isArray(response) ? response.join('') : JSON.stringify(response))
}

/** The chunks that a case has its stream in. */
export function chunksOf({ upstream_response: response }: Case): readonly Buffer[] {
  return Array.isArray(response) ? response.map((chunk) => Buffer.from(chunk)) : []
}

/** As the daemon's thread does, but at once. */
const check = createVerdicts()

const FACTS = { requestId: 'r1', nowS: 1_700_000_000, elapsedNs: () => 5_000_000 }
const sideOf = ({ provider, upstream }: Case) => ({
  model: 'm',
  provider: provider ?? (upstream === 'openai-chat' ? 'openai' : upstream),
})

/** Runs a case as the gateway does. @throws GateError when the request is refused */
export function run(one: Case, chunks: readonly Buffer[]): Run {
  const client = dialectOf(one.ingress, one.path)
  const spoken = dialectOf(one.upstream)
  const side = sideOf(one)
  const isStream = Array.isArray(one.upstream_response)
  const call = callOf(client, one.client_request, isStream)
  const asked = client.readRequest(call)
  const { grade = client === spoken ? 'native' : 'translate' } = one
  if (grade === 'native') {
    const sent = client.bodyFor(call, asked, side)
    const watch = client.watch(sent.hidesUsage, asked.choices)
    const shown = isStream ? passed(client, watch, chunks) : answerBytes(one).toString()
    return { sent: sent.body.toString(), dropped: sent.dropped ?? [], shown }
  }
  const {
    body: sent,
    dropped,
    watch,
    answer,
  } = translate(client, { dialect: spoken, grade, instead: spoken }, call, side, {
    ...FACTS,
    check,
    calls: one.tool_arguments ?? 'pass',
  })
  const shown = isStream ? passed(client, watch(true), chunks) : answer(answerBytes(one), false).toString()
  return { sent: sent.toString(), dropped, shown }
}

/** What a client that asked for a whole answer gets when its upstream sends the stream of a case. */
export function runWhole(one: Case): string {
  const client = dialectOf(one.ingress, one.path)
  const spoken = dialectOf(one.upstream)
  const { stream: _, stream_options: __, ...request } = one.client_request
  const call = callOf(client, client.name === 'ollama' ? { ...request, stream: false } : request, false)
  const grade = one.grade === 'repair' ? 'repair' : 'translate'
  const isPassing = client === spoken && grade !== 'repair'
  const { watch } = translate(client, { dialect: spoken, grade, instead: spoken }, call, sideOf(one), {
    ...FACTS,
    ...(isPassing ? { showsThinking: true } : { check, calls: one.tool_arguments ?? 'pass' }),
  })
  return passed(client, watch(false), chunksOf(one))
}

/** Where the model is a part of the path, or a stream has a path of its own, that says so; it is `m`. */
function callOf(client: Dialect, request: Case['client_request'], isStream: boolean): Call {
  const endpoint =
    client.endpoints.find(({ path, withQuery }) => isStream && (path.includes('stream') || withQuery !== undefined)) ??
    client.endpoints[0]
  if (endpoint === undefined) throw new Error(`${client.name} has no endpoint`)
  const { path, withQuery } = endpoint
  const url = `${path.replace(/\{\w+\}/, 'm')}${withQuery === undefined ? '' : `?${withQuery}`}`
  const param = path.includes('{') ? 'm' : ''
  return { endpoint, param, url, headers: {}, body: Buffer.from(JSON.stringify(request)) }
}

function dialectOf(name: string, path?: string): Dialect {
  const found = DIALECTS.all.find(
    (dialect) => dialect.name === name && (path === undefined || dialect.endpoints.some((one) => one.path === path)),
  )
  if (found === undefined) throw new Error(`no dialect ${name}`)
  return found
}

/** As the passage of an answer does: what has ended takes nothing more, and what was cut off ends with an error. */
function passed(client: Dialect, watch: ReturnType<Dialect['watch']>, chunks: readonly Buffer[]): string {
  let shown = ''
  for (const chunk of chunks) {
    shown += watch.feed(chunk).toString()
    if (watch.failure() !== null) return shown
    if (watch.isDone() && watch.isComplete()) return shown + watch.rest().toString()
  }
  const owed = watch.owed?.() ?? null
  if (owed !== null) shown += watch.feed(owed).toString()
  if (watch.failure() !== null) return shown
  return (
    shown +
    (watch.isComplete()
      ? watch.rest().toString()
      : (watch.errorFrame?.(TRUNCATED) ?? client.errorFrame(TRUNCATED, shown === '', 'r1')))
  )
}

/** The events of a stream, or its lines, as a client reads them. */
export function eventsOf(shown: string): readonly ReadEvent[] {
  if (shown.startsWith('{')) {
    const lines = shown.split('\n').filter((line) => line !== '')
    return lines.map((line) => ({ type: '', data: JSON.parse(line) }))
  }
  const events: ReadEvent[] = []
  createParser({
    onEvent({ event, data }) {
      events.push({ type: event ?? '', data: data.startsWith('{') ? JSON.parse(data) : data })
    },
  }).feed(shown)
  return events
}
