import { clientUsage, managedSettings } from '../../../schemas/api/client-gateway.ts'
import { GateError } from '../../../schemas/words/errors.ts'
import type { Principal } from '../../auth/principal.ts'
import { type Cap, clientUsageOf } from '../client-usage.ts'
import type { ManagedSettings } from '../managed-settings.ts'
import { json, page } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'

export type ClientGatewayParts = {
  /** null: the configuration has none. */
  readonly managedSettings: () => ManagedSettings | null
  /** What a person or key may spend, and has. */
  readonly capsOf: (principal: Principal) => readonly Cap[]
  /** Counts one export of a client's telemetry. */
  readonly countTelemetry: (signal: 'metrics' | 'logs' | 'traces') => void
}

const SIGNALS = ['metrics', 'logs', 'traces'] as const

/** The gateway protocol of Claude Code, as far as it is not the sign-in on a device and the messages themselves. */
export function clientGatewayRoutes({
  managedSettings: current,
  capsOf,
  countTelemetry,
}: ClientGatewayParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/managed/settings',
      scope: 'signed-in',
      summary: 'Tells Claude Code its managed settings',
      answer: managedSettings,
      handle: ({ headers }) => {
        const managed = current()
        if (managed === null)
          throw new GateError('OBJECT_NOT_FOUND', 'there are no managed settings (managed.claude_code)')
        const etag = `"${managed.checksum}"`
        if (headers['if-none-match'] === etag) return page('', { status: 304, headers: { etag } })
        return json({ ...managed, settings: { ...managed.settings } }, { headers: { etag } })
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/api/oauth/usage',
      scope: 'signed-in',
      summary: 'Tells Claude Code what was spent, in cents',
      answer: clientUsage,
      handle: ({ principal }) => json(clientUsageOf(capsOf(principal))),
    }),
    ...SIGNALS.map((signal) =>
      apiRoute({
        method: 'POST',
        path: `/v1/${signal}`,
        scope: 'signed-in',
        summary: `Takes ${signal} of a client (OTLP/HTTP): they are counted, not kept`,
        takes: 'bytes',
        answer: 'page',
        handle: ({ headers }) => {
          countTelemetry(signal)
          const isJson = /^application\/json\b/i.test(headers['content-type'] ?? '')
          // an empty message of protobuf has no bytes
          return isJson
            ? page('{}', { status: 200, type: 'application/json' })
            : page('', { status: 200, type: 'application/x-protobuf' })
        },
      }),
    ),
  ]
}
