import type { ErrorCode } from '../../schemas/words/errors.ts'

// What becomes of a request whose upstream fails, whatever dialects the two speak. docs/faults.md is made of this, and
// test/e2e/faults.test.ts plays each row with a daemon, over real sockets.

/** What an upstream does at a byte of its answer. */
export const FAULTS = {
  cut: 'closes the connection (FIN)',
  reset: 'resets the connection (RST)',
  stall: 'says nothing more, and keeps the connection',
  ends: 'ends its answer properly, too early',
  garbage: 'sends what cannot be read',
  slow: 'sends its headers byte by byte, without end',
  error: 'reports an error, although its status was 200',
  page: 'sends the HTML page of a proxy, with status 200',
  whole: 'sends a whole answer in place of a stream',
  stream: 'sends a stream in place of a whole answer',
  oversized: 'sends headers of 64 KiB, or an event of 5 MiB',
  more: 'goes on after the end, and says that it ends again',
  trailing: 'sends bytes after the end of its HTTP answer',
} as const
export type Fault = keyof typeof FAULTS

/** Where in its answer. */
export const STAGES = {
  'before headers': 'nothing was sent',
  'in headers': 'in the middle of the headers',
  'after headers': 'the headers were sent',
  'in the first event': 'in the middle of the first event, before any content',
  'after content': 'after the first event with content',
  'in an event': 'in the middle of the second event with content',
  'in arguments': 'all text was sent, and half of the arguments of a tool call',
  'before the end': 'all content was sent, the reason to finish was not',
  'before the last event': 'the reason to finish was sent, the last event was not',
  'after the end': 'everything was sent',
  'in the body': 'in the middle of a whole answer',
} as const
export type Stage = keyof typeof STAGES

export type UpstreamDialect = 'openai-chat' | 'openai-responses' | 'anthropic' | 'google' | 'ollama'

/** What the client, the ledger and routing make of it. */
export type Fate = {
  /** What the client gets where there is no other target. */
  readonly status: 200 | 502 | 504
  /** The error, as a body or as the last event of the stream; null: there is none. */
  readonly code: ErrorCode | null
  /** The text that the client has seen by then. */
  readonly text: '' | 'Hel' | 'Hello' | 'long'
  /** Whether the next target is tried. */
  readonly next: boolean
  readonly ledger: 'ok' | 'refused' | 'failed' | 'truncated'
}

export type FaultRow = {
  readonly form: 'stream' | 'whole'
  readonly fault: Fault
  readonly stage: Stage
  readonly fate: Fate
  /** Left out: whatever the upstream speaks. */
  readonly upstreams?: readonly UpstreamDialect[]
  /** Left out: whether or not bytes pass. */
  readonly how?: 'passed' | 'translated'
}

const early = (code: ErrorCode, ledger: Fate['ledger'] = 'failed'): Fate => ({
  status: code === 'UPSTREAM_TIMEOUT' ? 504 : 502,
  code,
  text: '',
  next: true,
  ledger,
})
const late = (code: ErrorCode, text: Fate['text']): Fate => ({
  status: 200,
  code,
  text,
  next: false,
  ledger: 'truncated',
})
const well = (text: Fate['text'] = 'Hello'): Fate => ({ status: 200, code: null, text, next: false, ledger: 'ok' })

type Cells = Readonly<Partial<Record<Fault, Fate>>>
const rowsOf = (
  form: FaultRow['form'],
  stage: Stage,
  cells: Cells,
  only: Pick<FaultRow, 'upstreams' | 'how'> = {},
): readonly FaultRow[] =>
  Object.entries(cells).map(([fault, fate]) => ({ form, stage, fault: fault as Fault, fate, ...only }))

const UNREACHED = early('UPSTREAM_FAILED')
const LATE_TO_BEGIN = early('UPSTREAM_TIMEOUT')
const BROKEN = early('UPSTREAM_TRUNCATED')
const REFUSED = early('UPSTREAM_FAILED', 'refused')

const brokenAfter = (text: Fate['text']): Cells => ({
  cut: late('UPSTREAM_TRUNCATED', text),
  reset: late('UPSTREAM_TRUNCATED', text),
  stall: late('UPSTREAM_TIMEOUT', text),
  ends: late('UPSTREAM_TRUNCATED', text),
})
const spoiltAfter = (text: Fate['text']): Cells => ({
  garbage: late('UPSTREAM_FAILED', text),
  error: late('UPSTREAM_FAILED', text),
})
const completed = (...faults: readonly Fault[]): Cells => Object.fromEntries(faults.map((fault) => [fault, well()]))

const NO_ANSWER: Cells = { cut: UNREACHED, reset: UNREACHED, stall: LATE_TO_BEGIN }

export const ROWS: readonly FaultRow[] = [
  ...rowsOf('stream', 'before headers', { ...NO_ANSWER, garbage: UNREACHED, slow: LATE_TO_BEGIN }),
  ...rowsOf('stream', 'in headers', { ...NO_ANSWER, oversized: UNREACHED }),
  ...rowsOf('stream', 'after headers', {
    cut: BROKEN,
    reset: BROKEN,
    stall: LATE_TO_BEGIN,
    ends: BROKEN,
    garbage: REFUSED,
    error: REFUSED,
    page: REFUSED,
    whole: well(),
  }),
  ...rowsOf('stream', 'in the first event', { cut: BROKEN, reset: BROKEN, stall: LATE_TO_BEGIN, ends: BROKEN }),
  ...rowsOf('stream', 'after content', { ...brokenAfter('Hel'), ...spoiltAfter('Hel') }),
  ...rowsOf('stream', 'after content', { oversized: well('long') }, { how: 'passed' }),
  ...rowsOf('stream', 'after content', { oversized: late('UPSTREAM_FAILED', 'Hel') }, { how: 'translated' }),
  ...rowsOf('stream', 'in an event', brokenAfter('Hel')),
  ...rowsOf('stream', 'in arguments', { ...brokenAfter('Hello'), ...spoiltAfter('Hello') }),
  ...rowsOf('stream', 'before the end', { ...brokenAfter('Hello'), ...spoiltAfter('Hello') }),
  ...rowsOf('stream', 'before the last event', completed('cut', 'reset', 'stall', 'ends'), {
    upstreams: ['openai-chat', 'anthropic'],
  }),
  ...rowsOf('stream', 'before the last event', spoiltAfter('Hello'), { upstreams: ['openai-chat', 'anthropic'] }),
  ...rowsOf('stream', 'after the end', completed('cut', 'reset', 'stall', 'garbage', 'error', 'trailing')),
  // some of Google's give a reason to finish with every event, so that more may follow
  ...rowsOf('stream', 'after the end', completed('more'), {
    upstreams: ['openai-chat', 'openai-responses', 'anthropic', 'ollama'],
  }),
  ...rowsOf('whole', 'before headers', { ...NO_ANSWER, garbage: UNREACHED, slow: LATE_TO_BEGIN }),
  ...rowsOf('whole', 'in headers', { ...NO_ANSWER, oversized: UNREACHED }),
  ...rowsOf('whole', 'after headers', {
    cut: BROKEN,
    reset: BROKEN,
    stall: LATE_TO_BEGIN,
    ends: REFUSED,
    garbage: REFUSED,
    error: REFUSED,
    page: REFUSED,
    stream: well(),
  }),
  ...rowsOf('whole', 'in the body', {
    cut: BROKEN,
    reset: BROKEN,
    stall: LATE_TO_BEGIN,
    ends: REFUSED,
    garbage: REFUSED,
  }),
  ...rowsOf('whole', 'after the end', completed('trailing')),
]
