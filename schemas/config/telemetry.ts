import { z } from 'zod'
import { httpUrl, limitingDuration, secret } from './values.ts'

/** To which upstreams `traceparent` goes. */
export const PROPAGATE = ['own', 'all', 'none'] as const

/** What is sent to an OpenTelemetry collector. */
export const telemetry = z.strictObject({
  endpoint: httpUrl.optional().meta({
    description:
      'Base URL of an OpenTelemetry collector (OTLP/HTTP), such as "http://127.0.0.1:4318"; absent: nothing is sent.',
  }),
  headers: secret
    .regex(/^[\x20-\x7e]+$/, 'write name=value pairs with commas between, such as "authorization=Bearer x"')
    .optional()
    .meta({
      description: 'Headers for the collector: name=value pairs with commas between, values percent-encoded.',
      secret: true,
    }),
  traces: z.boolean().default(true).meta({ description: 'Send traces of requests.' }),
  metrics: z.boolean().default(true).meta({ description: 'Send metrics.' }),
  sample: z.number().min(0).max(1).default(1).meta({
    description: 'Share of traces that Gate begins and sends; a client that sends traceparent decides for its own.',
  }),
  interval: limitingDuration('Time between two sendings of metrics.').default('60s'),
  propagate: z.enum(PROPAGATE).default('own').meta({
    description: 'Upstreams that are told the trace: own (backends, and what listens on this host), all, or none.',
  }),
})

/** What seals secrets and texts at rest. */
export const secrets = z.strictObject({
  encryption_key: secret.min(16, 'use at least 16 characters').optional().meta({
    description:
      'Opens keyring.json, whose keys seal what is secret at rest: 64 hexadecimal digits, 32 bytes in base64, or a passphrase. When absent, the file sealing.key does. Never in config.toml.',
    secret: true,
    thoughtUp: true,
    restart: true,
  }),
  previous_key: secret.min(16, 'use at least 16 characters').optional().meta({
    description: 'What encryption_key was before, for the start after it was changed. Never in config.toml.',
    secret: true,
    thoughtUp: true,
    restart: true,
  }),
})
