import type { Dialect } from './dialect.ts'
import type { DialectProbe, SeenEvent } from './dialect-probe.ts'
import { parsedRecord } from './json-value.ts'
import type { NeutralEvent } from './neutral.ts'
import { SseScanner, utf8Of } from './sse.ts'

/** So much of an answer is asked for where one token would do, had models that think not to begin with a mark of it. */
const FEW_TOKENS = 4
const CALL_TOKENS = 64

/** How engines are asked whether they speak a dialect, for all dialects that can be asked for. */
export function probesOf(all: readonly Dialect[]) {
  return all.flatMap((dialect) => (dialect.probe === undefined ? [] : [probeOf(dialect, dialect.probe)]))
}

function probeOf(dialect: Dialect, probe: DialectProbe) {
  return {
    dialect: dialect.name,
    path: probe.path,
    headers: dialect.fixedHeaders,
    empty: {
      body: {},
      faultsOf: (answer: string) => (probe.isOwnError(parsedRecord(answer) ?? {}) ? [] : ['errors have another shape']),
    },
    questions: [
      {
        ask: (model: string) => probe.text(model, FEW_TOKENS),
        faultsOf: (stream: Buffer) => faultsOf(dialect, probe, stream, faultsOfText),
      },
      {
        ask: (model: string) => probe.call(model, CALL_TOKENS),
        faultsOf: (stream: Buffer) => faultsOf(dialect, probe, stream, faultsOfCall),
      },
    ],
  }
}

/** Whatever can be read can be repaired: that is how it is done. */
function faultsOf(
  { neutral }: Dialect,
  { missing }: DialectProbe,
  stream: Buffer,
  more: (read: readonly NeutralEvent[]) => readonly string[],
): readonly string[] | null {
  const reader = neutral?.readEvents('probe')
  if (reader === undefined) return null
  const read = [...reader.feed(stream)]
  if (!reader.isComplete()) return null
  read.push(...reader.end())
  if (read.some(({ kind }) => kind === 'error')) return null
  return [...new Set([...missing(eventsIn(stream)), ...more(read)])]
}

function faultsOfText(read: readonly NeutralEvent[]): readonly string[] {
  if (!read.some(({ kind }) => kind === 'more')) return ['nothing was said']
  const end = read.find((event) => event.kind === 'end')
  if (end?.usage == null) return ['usage is not reported']
  const isCut = end.usage.outputTokens >= FEW_TOKENS && end.finish !== 'length'
  return isCut ? ['an answer that was cut is called complete'] : []
}

function faultsOfCall(read: readonly NeutralEvent[]): readonly string[] {
  const isCalled = read.some((event) => event.kind === 'part' && event.part.kind === 'call')
  return isCalled ? [] : ['a tool that had to be called was not']
}

function eventsIn(stream: Buffer): readonly SeenEvent[] {
  const events: SeenEvent[] = []
  const scanner = new SseScanner((data, type) => {
    const value = parsedRecord(utf8Of(data ?? ''))
    if (value !== null) events.push({ type, data: value })
  })
  scanner.feed(stream)
  return events
}
