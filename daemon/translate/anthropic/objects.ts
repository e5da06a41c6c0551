import type { Endpoint } from '../call.ts'
import { countIn, isRecord, listIn, recordIn, textIn } from '../json-value.ts'
import { decidingKeys } from '../model-request.ts'
import type { ObjectForm } from '../object-form.ts'
import { THINGS_BY_ID } from '../things-by-id.ts'
import { VERSION_HEADER } from './endpoint.ts'
import { readUsage } from './usage.ts'

const read = { method: 'GET', scope: 'chat:read', does: 'object' } as const
const write = { method: 'POST', scope: 'chat:write', does: 'object' } as const
/** The paths of files are OpenAI's, too. */
const file = { withHeader: VERSION_HEADER, about: 'files' } as const
const batches = { about: 'batches' } as const
const BATCHES = '/v1/messages/batches'

/** Files and batches of messages. */
export const OBJECT_ENDPOINTS: readonly Endpoint[] = [
  { ...write, ...file, path: '/v1/files', object: 'create', takes: 'form' },
  { ...read, ...file, path: '/v1/files', object: 'list' },
  { ...read, ...file, path: '/v1/files/{id}', object: 'show' },
  { ...write, ...file, method: 'DELETE', path: '/v1/files/{id}', object: 'remove' },
  { ...read, ...file, path: '/v1/files/{id}/content', object: 'content' },
  { ...write, ...batches, path: BATCHES, object: 'create', isPaidFor: true },
  { ...read, ...batches, path: BATCHES, object: 'list' },
  { ...read, ...batches, path: `${BATCHES}/{id}`, object: 'show' },
  { ...write, ...batches, method: 'DELETE', path: `${BATCHES}/{id}`, object: 'remove' },
  { ...read, ...batches, path: `${BATCHES}/{id}/results`, object: 'content' },
  { ...write, ...batches, path: `${BATCHES}/{id}/cancel`, object: 'change' },
]

export const objects: ObjectForm = {
  ...THINGS_BY_ID,
  provider: 'anthropic',
  deciding: decidingKeys('requests'),
  queries: ['after_id', 'before_id', 'beta', 'limit', 'page', 'scope_id'],
  refersTo: () => null,
  idsIn: ({ id }) => (typeof id === 'string' ? [id] : []),
  // SDKs follow this URL as it is: to the upstream, with a key of Gate's
  shown: (thing) =>
    typeof thing['results_url'] === 'string'
      ? { ...thing, results_url: `${BATCHES}/${encodeURIComponent(String(thing['id']))}/results` }
      : thing,
  usedIn(line) {
    const { model, usage: reported } = recordIn(recordIn(line['result'])['message'])
    const usage = readUsage(reported, null)
    return usage === null ? null : { model: textIn(model) ?? '', usage }
  },
  stateOf({ type, processing_status: status, request_counts: counts }) {
    if (type !== 'message_batch') return null
    if (status !== 'ended') return { kind: 'running' }
    return { kind: countIn(recordIn(counts)['succeeded']) === 0 ? 'void' : 'over', answered: 1 }
  },
  pathsOf(id) {
    const batch = `/messages/batches/${encodeURIComponent(id)}`
    return { batch, results: `${batch}/results` }
  },
  requestsIn: (body) =>
    listIn(body['requests']).flatMap((one) => {
      const params = recordIn(recordIn(one)['params'])
      const { model, max_tokens: most } = params
      const bytes = Buffer.byteLength(JSON.stringify(params))
      return [{ model: textIn(model) ?? '', bytes, mostTokens: typeof most === 'number' ? countIn(most) : null }]
    }),
  nextPage({ next_page: next, has_more: hasMore, last_id: last }) {
    if (textIn(next) !== null) return ['page', String(next)]
    return hasMore === true && textIn(last) !== null ? ['after_id', String(last)] : null
  },
  withModels: (body, modelOf) => ({
    ...body,
    requests: listIn(body['requests']).map((one) => {
      const { params } = recordIn(one)
      const model = isRecord(params) ? textIn(params['model']) : null
      return model === null || !isRecord(one) ? one : { ...one, params: { ...recordIn(params), model: modelOf(model) } }
    }),
  }),
}
