import { type SecretsStatus, secretsStatus } from '../../../schemas/api/secrets.ts'
import { AdminError } from '../error.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'

export type SecretsParts = {
  /** Both throw an Error that says why, while the keyring does not open. */
  readonly secrets: { readonly status: () => SecretsStatus; readonly rotate: () => SecretsStatus }
}

/** The keys that seal secrets and texts at rest. What is sealed is never answered. */
export function secretsRoutes({ secrets }: SecretsParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/secrets',
      scope: 'admin',
      summary: 'Says which keys seal what is kept, and whether a rotation goes on',
      answer: secretsStatus,
      handle: () => json(opened(secrets.status)),
    }),
    apiRoute({
      method: 'POST',
      path: '/api/admin/secrets/rotate',
      scope: 'admin',
      summary: 'Makes a new sealing key, and seals everything with it in the background',
      audit: 'secrets.rotate',
      answer: secretsStatus,
      handle: () => {
        const old = opened(secrets.status).keys.at(-1)?.id ?? null
        const status = opened(secrets.rotate)
        const change = { object: 'keyring', old: { key: old }, new: { key: status.keys.at(-1)?.id ?? null } }
        return json(status, { change })
      },
    }),
  ]
}

function opened(ask: () => SecretsStatus): SecretsStatus {
  try {
    return ask()
  } catch (cause) {
    throw new AdminError('KEYRING_CLOSED', cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
