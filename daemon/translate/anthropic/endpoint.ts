import type { Endpoint } from '../call.ts'

export const VERSION_HEADER = 'anthropic-version'

/** What Gate itself speaks to upstreams; clients may speak another one, which is passed on. */
export const VERSION = '2026-10-21'

export const ENDPOINTS: readonly Endpoint[] = [
  { method: 'POST', path: '/v1/messages', scope: 'chat:write', does: 'generate' },
  { method: 'POST', path: '/v1/messages/count_tokens', scope: 'chat:write', does: 'count-tokens' },
  { method: 'GET', path: '/v1/models', scope: 'chat:read', does: 'list-models', withHeader: VERSION_HEADER },
  { method: 'GET', path: '/v1/models/{model}', scope: 'chat:read', does: 'show-model', withHeader: VERSION_HEADER },
]
