import { mayHoldKey, withoutKeys } from '../../schemas/words/gate-key.ts'
import {
  LOG_FIELDS,
  LOG_LEVELS,
  type Log,
  type LogFields,
  type LogLevel,
  type LogRecord,
} from '../../schemas/words/log.ts'
import { escapeControls, jsonLine, textLine } from '../../syntax/terminal/log-line.ts'
import { createLineRing } from './line-ring.ts'

/** Lines kept in memory for `gatectl logs`. */
const KEPT_LINES = 1_000
/** Their room: a line of a request has 300 bytes; a thousand of a kilobyte fit. */
const KEPT_BYTES = 2 ** 20
/** Longest string in one field or message; what is longer is cut. */
const LONGEST_STRING = 4_096
/** A shorter one may be part of any text. */
const SHORTEST_SECRET = 8
/** sd-daemon(3): the journal reads a leading `<n>` as the line's priority. */
const PRIORITY = { error: '<3>', warn: '<4>', info: '<6>', debug: '<7>' } as const satisfies Record<LogLevel, string>

type LogFormat = 'json' | 'text'

export type LogOptions = {
  /** Receives whole lines, newline included. */
  readonly write: (line: string) => void
  readonly level: LogLevel
  readonly format: LogFormat
  /** Whether standard output is the journal ($JOURNAL_STREAM is set): lines then start with their priority. */
  readonly journal: boolean
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** The daemon's log: writes lines, and keeps the last ones for `gatectl logs`. */
export type LogWriter = {
  readonly log: Log
  /** Applies to the following lines; a change of `log.level` needs no restart. */
  setLevel(level: LogLevel): void
  setFormat(format: LogFormat): void
  /** The following lines show `[redacted]` in place of a text; undefined: of none. */
  hide(secret: string | undefined): void
  /** The last lines, oldest first, at most `count`, at most 1,000, at most a MiB. */
  recent(count: number): readonly LogRecord[]
  /** Calls `listener` with every following line. @returns a function that stops it */
  follow(listener: (record: LogRecord) => void): () => void
}

export function createLog(options: LogOptions): LogWriter {
  const { write, journal, now } = options
  let format = options.format
  const ring = createLineRing(KEPT_LINES, KEPT_BYTES)
  let threshold = LOG_LEVELS.indexOf(options.level)
  const listeners = new Set<(record: LogRecord) => void>()
  let secret: Secret | undefined

  const log: Log = (level, message, fields) => {
    if (LOG_LEVELS.indexOf(level) > threshold) return
    let record = makeRecord(now(), level, message, fields, secret)
    let json = jsonLine(record)
    if (mayHoldKey(json) || (secret !== undefined && json.includes(secret.inJson))) {
      record = withoutSecrets(record, secret)
      json = jsonLine(record)
    }
    write(`${journal ? PRIORITY[level] : ''}${format === 'json' ? json : textLine(record)}\n`)
    ring.push(json)
    for (const listener of listeners) listener(record)
  }

  return {
    log,
    setFormat: (next) => {
      format = next
    },
    hide: (text) => {
      const isLong = text !== undefined && text.length >= SHORTEST_SECRET
      secret = isLong ? { text, inJson: escapeControls(JSON.stringify(text)).slice(1, -1) } : undefined
    },
    setLevel: (level) => {
      threshold = LOG_LEVELS.indexOf(level)
    },
    recent: (count) => ring.last(count).map((line) => JSON.parse(line) as LogRecord), // lines of our own
    follow: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** What is not to be shown, and how a line of JSON would show it. */
type Secret = { readonly text: string; readonly inJson: string }

/** Without a prototype, whose names would be fields. */
const KINDS: Readonly<Partial<Record<keyof LogFields, string>>> = Object.assign(Object.create(null), LOG_FIELDS)

function makeRecord(
  nowMs: number,
  level: LogLevel,
  message: string,
  fields: LogFields | undefined,
  secret: Secret | undefined,
): LogRecord {
  const record: Record<string, string | number> = { time: isoTime(nowMs), level, message: cut(message, secret) }
  for (const name in fields) {
    const field = name as keyof LogFields // or any other name, of which KINDS has none
    const value = fields[field]
    if (typeof value !== KINDS[field]) continue
    if (typeof value === 'string') record[name] = cut(value, secret)
    else if (value !== undefined && Number.isFinite(value)) record[name] = Math.round(value)
  }
  return record as LogRecord // built above from the allow-list, and nothing else
}

/** The same line with nothing in it that may be a key: of nearly all lines that is the line itself, which is not built twice. */
function withoutSecrets(record: LogRecord, secret: Secret | undefined): LogRecord {
  const entries = Object.entries(record).map(([name, value]) => [
    name,
    typeof value === 'string' ? withoutSecret(value, secret) : value,
  ])
  return Object.fromEntries(entries) as LogRecord // of the same fields
}

function withoutSecret(text: string, secret: Secret | undefined): string {
  return withoutKeys(secret === undefined ? text : text.replaceAll(secret.text, '[redacted]'))
}

/** Not too long; never in the middle of what may be a key. */
function cut(text: string, secret: Secret | undefined): string {
  if (text.length <= LONGEST_STRING) return text
  const clean = withoutSecret(text, secret)
  return clean.length > LONGEST_STRING ? `${clean.slice(0, LONGEST_STRING)}…` : clean
}

// One line per request: the text of a second is made once.
let isoSecond = Number.NaN
let isoStart = ''
function isoTime(nowMs: number): string {
  const second = Math.floor(nowMs / 1_000)
  if (second !== isoSecond) {
    isoStart = new Date(nowMs).toISOString().slice(0, -4) // up to the point before the milliseconds
    isoSecond = second
  }
  return `${isoStart}${String(nowMs - second * 1_000).padStart(3, '0')}Z`
}
