import type { Endpoint } from '../call.ts'
import { booleanIn, countIn, isRecord, recordIn, textIn } from '../json-value.ts'
import { decidingKeys } from '../model-request.ts'
import type { ObjectForm } from '../object-form.ts'
import { THINGS_BY_ID } from '../things-by-id.ts'

const read = { method: 'GET', scope: 'chat:read', does: 'object' } as const
const write = { method: 'POST', scope: 'chat:write', does: 'object' } as const
const files = { about: 'files' } as const
const uploads = { about: 'uploads' } as const
const batches = { about: 'batches' } as const

/** Files, uploads in parts, and batches. */
export const OBJECT_ENDPOINTS: readonly Endpoint[] = [
  { ...write, ...files, path: '/v1/files', object: 'create', takes: 'form' },
  { ...read, ...files, path: '/v1/files', object: 'list' },
  { ...read, ...files, path: '/v1/files/{id}', object: 'show' },
  { ...write, ...files, method: 'DELETE', path: '/v1/files/{id}', object: 'remove' },
  { ...read, ...files, path: '/v1/files/{id}/content', object: 'content' },
  { ...write, ...uploads, path: '/v1/uploads', object: 'create' },
  { ...write, ...uploads, path: '/v1/uploads/{id}/parts', object: 'change', takes: 'form' },
  { ...write, ...uploads, path: '/v1/uploads/{id}/complete', object: 'change' },
  { ...write, ...uploads, path: '/v1/uploads/{id}/cancel', object: 'change' },
  { ...write, ...batches, path: '/v1/batches', object: 'create', hasModelsInFile: true, isPaidFor: true },
  { ...read, ...batches, path: '/v1/batches', object: 'list' },
  { ...read, ...batches, path: '/v1/batches/{id}', object: 'show' },
  { ...write, ...batches, path: '/v1/batches/{id}/cancel', object: 'change' },
]

/** States of a batch in which nothing more is used. */
const OVER = new Set(['completed', 'expired', 'cancelled'])

export const objects: ObjectForm = {
  ...THINGS_BY_ID,
  provider: 'openai',
  deciding: decidingKeys('input_file_id'),
  queries: ['after', 'limit', 'order', 'purpose'],
  refersTo: ({ input_file_id: file }) => textIn(file),
  // a batch makes files, an upload that is complete is one
  idsIn: ({ id, output_file_id: output, error_file_id: errors, file }) =>
    [id, output, errors, recordIn(file)['id']].filter((one) => typeof one === 'string'),
  shown: (thing) => thing,
  usedBy({ object, status, model, usage }) {
    if (object !== 'batch' || !OVER.has(textIn(status) ?? '') || !isRecord(usage)) return null
    const counts = {
      inputTokens: countIn(usage['input_tokens']),
      outputTokens: countIn(usage['output_tokens']),
      cachedTokens: countIn(recordIn(usage['input_tokens_details'])['cached_tokens']),
      reasoningTokens: countIn(recordIn(usage['output_tokens_details'])['reasoning_tokens']),
    }
    return { model: textIn(model) ?? '', usage: counts }
  },
  stateOf({ object, status, request_counts: counts }) {
    if (object !== 'batch') return null
    const state = textIn(status) ?? ''
    if (state === 'failed') return { kind: 'void' }
    if (!OVER.has(state)) return { kind: 'running' }
    const { total, completed } = recordIn(counts)
    const answered = countIn(total) === 0 ? Number(state === 'completed') : countIn(completed) / countIn(total)
    return { kind: 'over', answered: Math.min(1, answered) }
  },
  pathsOf: (id) => ({ batch: `/batches/${encodeURIComponent(id)}`, results: null }),
  fileAt: {
    path: (id) => `/files/${encodeURIComponent(id)}`,
    bytesIn: ({ bytes }) => (typeof bytes === 'number' && bytes >= 0 ? bytes : null),
  },
  requests: {
    key: 'custom_id',
    isWhole: ({ endpoint }) => endpoint.takes === 'form',
    requestOf(line, bytes) {
      const {
        model,
        max_completion_tokens: most,
        max_output_tokens: ofResponse,
        max_tokens: older,
      } = recordIn(line['body'])
      const name = textIn(model)
      if (name === null || textIn(line['custom_id']) === null) return null
      const wanted = [most, ofResponse, older].find((each) => typeof each === 'number')
      return { model: name, bytes, mostTokens: wanted === undefined ? null : countIn(wanted) }
    },
  },
  nextPage: (page) => {
    const last = textIn(page['last_id'])
    return booleanIn(page['has_more']) === true && last !== null ? ['after', last] : null
  },
}
