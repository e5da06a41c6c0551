import { FAULTS, type FaultRow, ROWS, STAGES } from '../test/faults/fault-table.ts'

/** docs/faults.md: what becomes of a request whose upstream fails. */
export function faultReference(): string {
  return `# Faults of upstreams

Generated from \`test/faults/fault-table.ts\` by \`npm run generate\`. Each row is played by \`test/e2e/faults.test.ts\` with a daemon and upstreams that fail
at a byte: for a client and an upstream of the same dialect and for pairs that are translated, with another target of the model and without. \`npm run
test:long\` plays every pair.

What holds in all of them:

- Headers are held until the first content has come, or for 10 s. Until then a failure is a real status, and the next target is tried; the client of a
  stream that was begun after 10 s gets the answer of the next target in the same stream.
- What a client has seen a part of is never tried again. It ends with the error of the client's own dialect, and with nothing after it: never as if it
  were complete, never twice, and never with half an event.
- An answer is complete once the reason to finish has come. However the connection ends after that, the client gets the end of its dialect.
- A whole answer that passes is not parsed: it counts as a part when its last byte does not close its first brace.
- A target that failed rests (1 s, doubled each time up to 1 min) and is then tried by one request; others go to the next target.
- The ledger has a row for each attempt: \`failed\` (no answer), \`refused\` (an error as answer), \`truncated\` (a part was delivered, and is counted),
  \`ok\`.

| dialect of the client | the end of a stream | its error | an error before the stream |
| --- | --- | --- | --- |
| OpenAI chat | \`data: [DONE]\` | \`data: {"error": …}\`, without \`[DONE]\` | \`{"error": {"message", "type", "param", "code"}}\` |
| OpenAI Responses | \`response.completed\`, \`response.incomplete\` | \`response.failed\`; \`error\` before \`response.created\` | the same |
| Anthropic Messages | \`message_stop\` | \`event: error\` | \`{"type": "error", "error": {"type", "message"}, "request_id"}\` |
| Google, \`alt=sse\` | the event with \`finishReason\` | \`data: {"error": …}\` | \`{"error": {"code", "message", "status"}}\` |
| Google, as a list | \`]\` | \`{"error": …}]\` | the same |
| Ollama | the line with \`"done": true\` | the line \`{"error": …}\` | \`{"error": "message"}\` |

What an upstream does:

${Object.entries(FAULTS)
  .map(([fault, what]) => `- **${fault}**: ${what}`)
  .join('\n')}

## Streams

${table('stream')}

## Whole answers

${table('whole')}
`
}

function table(form: FaultRow['form']): string {
  const rows = ROWS.filter((row) => row.form === form).map(({ stage, fault, fate, upstreams, how }) => {
    const only = [...(how === undefined ? [] : [how]), ...(upstreams?.map((name) => `from \`${name}\``) ?? [])]
    const where = `${STAGES[stage]}${only.length === 0 ? '' : ` (${only.join(', ')})`}`
    const cells = [where, fault, clientSees(fate), fate.next ? 'yes' : 'no', `\`${fate.ledger}\``]
    return `| ${[...cells, fate.ledger === 'ok' ? 'stays well' : 'rests'].join(' | ')} |`
  })
  const head = ['when', 'the upstream', 'the client gets', 'next target', 'ledger', 'the target']
  return [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...rows].join('\n')
}

function clientSees({ status, code, text }: FaultRow['fate']): string {
  if (code === null) return 'the answer, whole'
  const name = `\`${code.toLowerCase()}\``
  return text === '' ? `${status} ${name}` : `200, what has come, then the error ${name}`
}
