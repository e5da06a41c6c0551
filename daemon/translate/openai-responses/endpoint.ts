import type { Endpoint } from '../dialect.ts'

export const ENDPOINTS: readonly Endpoint[] = [
  { method: 'POST', path: '/v1/responses', scope: 'chat:write', does: 'generate' },
  { method: 'POST', path: '/v1/responses/input_tokens', scope: 'chat:write', does: 'count-tokens' },
]
