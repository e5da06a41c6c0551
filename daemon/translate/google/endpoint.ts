import type { Endpoint } from '../call.ts'

export const KEY_HEADER = 'x-goog-api-key'

/** Both versions of the API have the same methods. The id of a model may have slashes. */
export const VERSIONS = ['/v1beta', '/v1'] as const

const STREAM = { method: 'POST', scope: 'chat:write', does: 'generate' } as const
const streamPath = (version: string) => `${version}/models/{model}:streamGenerateContent`

/** A stream of server-sent events, as SDKs ask for it. */
export const ENDPOINTS: readonly Endpoint[] = [
  ...VERSIONS.flatMap((version): readonly Endpoint[] => [
    { method: 'POST', path: `${version}/models/{model}:generateContent`, scope: 'chat:write', does: 'generate' },
    { ...STREAM, path: streamPath(version), withQuery: 'alt=sse' },
    { method: 'POST', path: `${version}/models/{model}:embedContent`, scope: 'chat:write', does: 'embed' },
    { method: 'POST', path: `${version}/models/{model}:batchEmbedContents`, scope: 'chat:write', does: 'embed' },
    { method: 'POST', path: `${version}/models/{model}:countTokens`, scope: 'chat:write', does: 'count-tokens' },
  ]),
  { method: 'GET', path: '/v1beta/models', scope: 'chat:read', does: 'list-models' },
  { method: 'GET', path: '/v1beta/models/{model}', scope: 'chat:read', does: 'show-model' },
  // the SDK of today uses this version, whose paths are those of others, too
  { method: 'GET', path: '/v1/models', scope: 'chat:read', does: 'list-models', withHeader: KEY_HEADER },
  { method: 'GET', path: '/v1/models/{model}', scope: 'chat:read', does: 'show-model', withHeader: KEY_HEADER },
]

/** The same as a JSON list that grows. */
export const LIST_ENDPOINTS: readonly Endpoint[] = VERSIONS.map((version) => ({
  ...STREAM,
  path: streamPath(version),
}))

export const isStream = ({ path }: Endpoint): boolean => path.endsWith(':streamGenerateContent')
