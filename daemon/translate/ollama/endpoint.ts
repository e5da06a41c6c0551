import type { Endpoint } from '../call.ts'

/** Clients ask for it to find out what the server can do: this one has tools, thinking and schemas. */
const VERSION = '0.13.0'

/** The examples of its documentation are for curl, without a Content-Type. */
const post = { method: 'POST', mayCallJsonForm: true } as const

export const ENDPOINTS: readonly Endpoint[] = [
  { ...post, path: '/api/chat', scope: 'chat:write', does: 'generate' },
  { ...post, path: '/api/embed', scope: 'chat:write', does: 'embed' },
  { ...post, path: '/api/embeddings', scope: 'chat:write', does: 'embed' },
  { method: 'GET', path: '/api/tags', scope: 'chat:read', does: 'list-models' },
  { ...post, path: '/api/show', scope: 'chat:read', does: 'show-model' },
  { method: 'GET', path: '/api/version', scope: 'chat:read', does: 'say', says: { version: VERSION } },
  // what runs is the gateway's matter: it starts models when they are asked for
  { method: 'GET', path: '/api/ps', scope: 'chat:read', does: 'say', says: { models: [] } },
]

/** How Ollama's own programs have it fetch and change models. */
export const ABSENT = [
  {
    paths: /^\/api\/(?:pull|push|create|copy|delete|blobs)(?:\/|$)/,
    why: 'which models there are is set on the host of the gateway, and GET /api/tags lists them',
  },
]

/** What completes a prompt, in answers of another form. */
export const GENERATE_ENDPOINTS: readonly Endpoint[] = [
  { ...post, path: '/api/generate', scope: 'chat:write', does: 'generate' },
]
