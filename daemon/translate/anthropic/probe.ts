import type { DialectProbe, SeenEvent } from '../dialect-probe.ts'
import { isRecord, type JsonRecord, recordIn } from '../json-value.ts'

const MESSAGES = [{ role: 'user', content: 'Count from one to one hundred.' }]
const TOOL = { name: 'start', input_schema: { type: 'object', properties: {} } }

/** Asks for a message and a call. What is missed in the streams is what SDKs lose something without. */
export const probe: DialectProbe = {
  path: '/messages',
  isOwnError: ({ type, error }) => type === 'error' && typeof recordIn(error)['type'] === 'string',
  text: (model, maxTokens) => ({ model, max_tokens: maxTokens, stream: true, messages: MESSAGES }),
  call: (model, maxTokens) => ({
    model,
    max_tokens: maxTokens,
    stream: true,
    messages: MESSAGES,
    tools: [TOOL],
    tool_choice: { type: 'any' },
  }),
  missing: (events) => [...events.flatMap(missingIn), ...outOfOrder(events)],
}

function missingIn({ type, data }: SeenEvent): readonly string[] {
  const faults: string[] = []
  if (type !== data['type']) faults.push('events without their name')
  if (data['type'] === 'message_start') {
    const { usage, content } = recordIn(data['message'])
    if (!isRecord(usage)) faults.push('message_start without usage')
    if (!Array.isArray(content)) faults.push('message_start without content')
  }
  if (data['type'] === 'content_block_start') faults.push(...missingInBlock(recordIn(data['content_block'])))
  return faults
}

/** Clients add to what a block begins with. */
function missingInBlock(block: JsonRecord): readonly string[] {
  const { type } = block
  const missing = (field: string) => [`${type} blocks without ${field}`]
  if (type === 'text' && typeof block['text'] !== 'string') return missing('text')
  if (type === 'thinking' && typeof block['thinking'] !== 'string') return missing('thinking')
  if (type === 'tool_use' && !isRecord(block['input'])) return missing('input')
  return []
}

function outOfOrder(events: readonly SeenEvent[]): readonly string[] {
  const faults: string[] = []
  let open: unknown = null
  for (const { data } of events) {
    if (data['type'] === 'content_block_start') {
      if (open !== null) faults.push('blocks that begin inside another')
      open = data['index']
    } else if (data['type'] === 'content_block_delta' && data['index'] !== open) {
      faults.push('deltas of blocks that are not open')
    } else if (data['type'] === 'content_block_stop') open = null
  }
  if (open !== null) faults.push('blocks without content_block_stop')
  if (events.at(-1)?.data['type'] !== 'message_stop') faults.push('no message_stop at the end')
  return faults
}
