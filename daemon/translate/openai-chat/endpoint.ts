import type { Endpoint } from '../dialect.ts'

export const ENDPOINTS: readonly Endpoint[] = [
  { method: 'POST', path: '/v1/chat/completions', scope: 'chat:write', does: 'generate' },
  { method: 'GET', path: '/v1/models', scope: 'chat:read', does: 'list-models' },
  { method: 'GET', path: '/v1/models/{model}', scope: 'chat:read', does: 'show-model' },
]
