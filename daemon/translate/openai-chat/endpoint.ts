import type { Endpoint } from '../call.ts'

export const ENDPOINTS: readonly Endpoint[] = [
  { method: 'POST', path: '/v1/chat/completions', scope: 'chat:write', does: 'generate' },
  { method: 'GET', path: '/v1/models', scope: 'chat:read', does: 'list-models' },
  { method: 'GET', path: '/v1/models/{model}', scope: 'chat:read', does: 'show-model' },
]

const passed = { method: 'POST', scope: 'chat:write', does: 'generate' } as const

/** Routes whose requests only pass, to upstreams that have them. */
export const COMPLETION_ENDPOINTS: readonly Endpoint[] = [{ ...passed, path: '/v1/completions' }]

export const MEDIA_ENDPOINTS: readonly Endpoint[] = [
  { ...passed, path: '/v1/embeddings', does: 'embed' },
  { ...passed, path: '/v1/rerank' },
  { ...passed, path: '/v1/moderations', usualModel: 'omni-moderation-latest' },
  { ...passed, path: '/v1/images/generations' },
  { ...passed, path: '/v1/images/edits', takes: 'form' },
  { ...passed, path: '/v1/images/variations', takes: 'form' },
  { ...passed, path: '/v1/audio/speech' },
  { ...passed, path: '/v1/audio/transcriptions', takes: 'form' },
  { ...passed, path: '/v1/audio/translations', takes: 'form' },
]
