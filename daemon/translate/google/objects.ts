import type { Call, Endpoint } from '../call.ts'
import { mayHold, textsUnder } from '../json-find.ts'
import { countIn, isRecord, type JsonRecord, recordIn, recordsIn, textIn } from '../json-value.ts'
import { decidingKeys } from '../model-request.ts'
import type { BatchRequest, BatchUsage, ObjectForm } from '../object-form.ts'
import { camelIn } from './camel.ts'
import { KEY_HEADER, VERSIONS } from './endpoint.ts'
import { reportedUsage } from './usage.ts'

// Files, batches of requests, and cached contents, which requests go on from. Things have names with their kind in front,
// `files/abc`, which are their ids here.
// https://ai.google.dev/api/files, https://ai.google.dev/api/batch-api, https://ai.google.dev/api/caching

const read = { method: 'GET', scope: 'chat:read', does: 'object' } as const
const write = { method: 'POST', scope: 'chat:write', does: 'object' } as const
const files = { about: 'files' } as const
const batches = { about: 'batches' } as const
const caches = { about: 'cachedContents' } as const
const UPLOAD = '/upload'
/** In the query of pieces of a file, beside the id of their upload. */
const RESUMED = 'upload_protocol=resumable'
const CREATE = ':batchGenerateContent'

export const OBJECT_ENDPOINTS: readonly Endpoint[] = VERSIONS.flatMap((version): readonly Endpoint[] => {
  // other dialects have these paths of `/v1`, too
  const shared = version === '/v1' ? { withHeader: KEY_HEADER } : {}
  const upload = { ...write, about: 'uploads', before: UPLOAD, path: `${UPLOAD}${version}/files` } as const
  return [
    { ...upload, object: 'create' },
    { ...upload, object: 'change', takes: 'bytes', withQuery: RESUMED },
    { ...read, ...files, ...shared, path: `${version}/files`, object: 'list' },
    { ...read, ...files, ...shared, path: `${version}/files/{id}`, object: 'show' },
    { ...read, ...files, ...shared, path: `${version}/files/{id}:download`, object: 'content' },
    { ...write, ...files, ...shared, method: 'DELETE', path: `${version}/files/{id}`, object: 'remove' },
    {
      ...{ ...write, ...batches, path: `${version}/models/{model}${CREATE}`, object: 'create' },
      ...{ hasModelsInFile: true, isPaidFor: true },
    },
    { ...read, ...batches, ...shared, path: `${version}/batches`, object: 'list' },
    { ...read, ...batches, ...shared, path: `${version}/batches/{id}`, object: 'show' },
    { ...write, ...batches, ...shared, path: `${version}/batches/{id}:cancel`, object: 'change' },
    { ...write, ...batches, ...shared, method: 'DELETE', path: `${version}/batches/{id}`, object: 'remove' },
    { ...write, ...caches, path: `${version}/cachedContents`, object: 'create', isPaidFor: true },
    { ...read, ...caches, path: `${version}/cachedContents`, object: 'list' },
    { ...read, ...caches, path: `${version}/cachedContents/{id}`, object: 'show' },
    { ...write, ...caches, method: 'PATCH', path: `${version}/cachedContents/{id}`, object: 'change' },
    { ...write, ...caches, method: 'DELETE', path: `${version}/cachedContents/{id}`, object: 'remove' },
  ]
})

const COMMAND = 'x-goog-upload-command'
const OFFSET = 'x-goog-upload-offset'
const STATUS = 'x-goog-upload-status'
const PIECES = 'x-goog-upload-url'

/** What is kept that a request names, by its address or its name. @throws GateError INVALID_JSON */
export function filesIn({ body, endpoint: { takes } }: Call): readonly string[] {
  if (takes !== undefined || !mayHold(body, ...PLACES)) return []
  return textsUnder(body.toString('utf8'), PLACES).flatMap((place) => FILE.exec(place)?.[1] ?? [])
}

const PLACES: ReadonlySet<string> = new Set([
  'fileUri',
  'file_uri',
  'fileName',
  'file_name',
  'cachedContent',
  'cached_content',
])
const FILE = /^(?:https?:\/\/[^/]+\/(?:[^?#]*\/)?v1(?:beta|alpha)?\/)?((?:files|cachedContents)\/[\w-]{1,100})$/

/** Below a base URL. */
const below = (name: string): string => `/${name.split('/').map(encodeURIComponent).join('/')}`

/** States of a batch in which nothing more is used. */
const OVER = new Set(['BATCH_STATE_SUCCEEDED', 'BATCH_STATE_CANCELLED', 'BATCH_STATE_EXPIRED'])

export const objects: ObjectForm = {
  provider: 'google',
  deciding: decidingKeys('batch', 'file'),
  queries: ['alt', 'pageSize', 'pageToken', 'updateMask', 'upload_id', 'upload_protocol'],
  requestHeaders: [
    'x-goog-upload-protocol',
    COMMAND,
    OFFSET,
    'x-goog-upload-header-content-length',
    'x-goog-upload-header-content-type',
    'x-goog-upload-file-name',
  ],
  idFor({ endpoint, param, url }) {
    if (endpoint.about === 'uploads') return uploadIn(url)
    return endpoint.object === 'create' || param === '' ? '' : `${endpoint.about}/${param}`
  },
  idOf: ({ name, file }) => textIn(name) ?? textIn(recordIn(file)['name']),
  idsIn: (thing) =>
    [thing['name'], recordIn(thing['file'])['name'], resultsOf(thing)].filter((one) => typeof one === 'string'),
  itemsIn: (page) => recordsIn(page[listName(page)]),
  withItems: ({ nextPageToken, ...page }, items, hasMore) => ({
    ...(items.length > 0 && { [listName(page)]: items }),
    ...(hasMore && { nextPageToken }),
  }),
  nothing: {},
  nextPage: ({ nextPageToken: token }) => (textIn(token) ? ['pageToken', String(token)] : null),
  begun({ endpoint }, headers, origin) {
    if (endpoint.about !== 'uploads' || endpoint.object !== 'create') return null
    const { [PIECES]: place, ...others } = headers
    const query = URL.parse(String(place), origin)?.search ?? ''
    const id = uploadIn(query)
    if (id === '') return { id: null, headers: others }
    const own = new URLSearchParams({ upload_id: id.slice('uploads/'.length), upload_protocol: 'resumable' })
    return { id, headers: { ...others, [PIECES]: `${origin}${endpoint.path}?${own}` } }
  },
  endsUpload: ({ endpoint }, { [STATUS]: status }) =>
    endpoint.about === 'uploads' && (status === 'final' || status === 'cancelled'),
  refersTo: (body) => textIn(inputOf(body)['fileName']),
  // this address leads to the upstream, with a key of Gate's
  shown: (thing) =>
    typeof thing['downloadUri'] === 'string' && typeof thing['name'] === 'string'
      ? { ...thing, downloadUri: `/v1beta/${thing['name']}:download?alt=media` }
      : thing,
  usedBy(thing) {
    if (isCache(thing)) return cacheUsage(thing)
    const { state, output } = recordIn(thing['metadata'])
    const answers = recordsIn(recordIn(recordIn(output)['inlinedResponses'])['inlinedResponses'])
    if (!OVER.has(textIn(state) ?? '') || answers.length === 0) return null
    const usages = answers.flatMap(({ response }) => reportedUsage(response) ?? [])
    const sum = (count: 'inputTokens' | 'outputTokens' | 'cachedTokens' | 'reasoningTokens') =>
      usages.reduce((total, usage) => total + usage[count], 0)
    const usage = {
      inputTokens: sum('inputTokens'),
      outputTokens: sum('outputTokens'),
      cachedTokens: sum('cachedTokens'),
      reasoningTokens: sum('reasoningTokens'),
    }
    return { model: modelOf(thing), usage }
  },
  usedIn({ response }) {
    const usage = reportedUsage(response)
    return usage === null ? null : { model: textIn(recordIn(response)['modelVersion']) ?? '', usage }
  },
  stateOf(thing) {
    if (isCache(thing)) return { kind: 'over', answered: 1 }
    if (!textIn(thing['name'])?.startsWith('batches/')) return null
    const { state, batchStats } = recordIn(thing['metadata'])
    if (state === 'BATCH_STATE_FAILED') return { kind: 'void' }
    if (!OVER.has(textIn(state) ?? '')) return { kind: 'running' }
    const { requestCount, successfulRequestCount } = recordIn(batchStats)
    const total = countIn(Number(requestCount)) // numbers of 64 bits are texts
    const answered =
      total === 0 ? Number(state === 'BATCH_STATE_SUCCEEDED') : countIn(Number(successfulRequestCount)) / total
    return { kind: 'over', answered: Math.min(1, answered) }
  },
  pathsOf(id, thing) {
    const results = thing === undefined ? null : resultsOf(thing)
    return { batch: below(id), results: results === null ? null : `${below(results)}:download?alt=media` }
  },
  fileAt: {
    path: below,
    bytesIn: ({ sizeBytes }) => (/^\d+$/.test(String(sizeBytes)) ? Number(sizeBytes) : null),
  },
  requestsIn(body, model) {
    const cached = 'batch' in body ? null : modelOfCache(body)
    if (cached !== null) return [{ ...requestOf(body, cached), mostTokens: 0, isPaidInFull: true }]
    return requestsOf(body).map((one) => requestOf(recordIn(camelIn(one)['request']), model ?? ''))
  },
  requests: {
    key: 'request',
    isWhole: ({ endpoint, headers }) =>
      endpoint.takes === 'bytes' && headers[OFFSET] === '0' && /finalize/.test(String(headers[COMMAND])),
    requestOf: ({ request }) => (isRecord(request) ? requestOf(request, '') : null),
  },
  modelIn: ({ endpoint, param }) => (endpoint.path.endsWith(CREATE) ? param.replace(/^models\//, '') : null),
  withModels(asked, modelFor) {
    const own = modelOfCache(asked)
    const body = own === null ? asked : { ...asked, model: `models/${modelFor(own)}` }
    if (!('batch' in body)) return body
    const batch = camelIn(body['batch'])
    const input = inputOf(body)
    if (!isRecord(input['requests'])) return { ...body, batch: { ...batch, inputConfig: input } }
    const requests = requestsOf(body).map((one) => {
      const { request: asked, ...rest } = camelIn(one)
      const request = camelIn(asked)
      const model = textIn(request['model'])
      return model === null
        ? { ...rest, request }
        : { ...rest, request: { ...request, model: `models/${modelFor(model.replace(/^models\//, ''))}` } }
    })
    return { ...body, batch: { ...batch, inputConfig: { ...input, requests: { requests } } } }
  },
}

/** The field of a page in which its things are; an empty page has none. */
const listName = (page: JsonRecord): string => ['operations', 'cachedContents'].find((one) => one in page) ?? 'files'

const isCache = ({ name }: JsonRecord): boolean => textIn(name)?.startsWith('cachedContents/') === true

const modelOfCache = ({ model }: JsonRecord): string | null => textIn(model)?.replace(/^models\//, '') ?? null

/** The model has read it once, at the price of any other prompt. */
function cacheUsage(cache: JsonRecord): BatchUsage {
  const { usageMetadata } = cache
  const inputTokens = countIn(recordIn(usageMetadata)['totalTokenCount'])
  const usage = { inputTokens, outputTokens: 0, cachedTokens: 0, reasoningTokens: 0 }
  return { model: modelOfCache(cache) ?? '', usage, isPaidInFull: true }
}

/** The upload that a piece belongs to. */
function uploadIn(url: string): string {
  const id = new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('upload_id')
  return id === null || !url.includes('?') ? '' : `uploads/${id}`
}

const inputOf = (body: JsonRecord): JsonRecord => camelIn(camelIn(body['batch'])['inputConfig'])
const requestsOf = (body: JsonRecord): readonly JsonRecord[] =>
  recordsIn(camelIn(inputOf(body)['requests'])['requests'])

function requestOf(request: JsonRecord, model: string): BatchRequest {
  const bytes = Buffer.byteLength(JSON.stringify(request))
  const most = camelIn(camelIn(request)['generationConfig'])['maxOutputTokens']
  return { model, bytes, mostTokens: typeof most === 'number' ? countIn(most) : null }
}

/** The file that has the answers of a batch; null: they are in the batch, or there are none yet. */
function resultsOf({ metadata }: JsonRecord): string | null {
  const file = textIn(recordIn(recordIn(metadata)['output'])['responsesFile'])
  return file?.startsWith('files/') ? file : null
}

const modelOf = ({ metadata }: JsonRecord): string =>
  (textIn(recordIn(metadata)['model']) ?? '').replace(/^models\//, '')
