import type { Endpoint } from '../call.ts'

export const ENDPOINTS: readonly Endpoint[] = [
  { method: 'POST', path: '/v1/responses', scope: 'chat:write', does: 'generate' },
  { method: 'POST', path: '/v1/responses/compact', scope: 'chat:write', does: 'generate' },
  { method: 'POST', path: '/v1/responses/input_tokens', scope: 'chat:write', does: 'count-tokens' },
  { method: 'GET', path: '/v1/responses/{id}', scope: 'chat:read', does: 'kept' },
  { method: 'DELETE', path: '/v1/responses/{id}', scope: 'chat:write', does: 'kept' },
  { method: 'POST', path: '/v1/responses/{id}/cancel', scope: 'chat:write', does: 'kept' },
  { method: 'GET', path: '/v1/responses/{id}/input_items', scope: 'chat:read', does: 'kept' },
]
