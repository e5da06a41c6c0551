import { z } from 'zod'
import { PROVIDERS } from '../words/providers.ts'
import { pricePerHour } from './money.ts'
import {
  affinity,
  dialects,
  failover,
  keyRequestsPerMinute,
  parameters,
  prices,
  systemPrefix,
  targetBaseUrl,
  toolArguments,
} from './tuning.ts'
import { duration, headerSecret, limitingDuration, NAME, NAME_FORM } from './values.ts'

export const upstream = z.strictObject({
  enabled: z.boolean().default(true).meta({ description: 'Whether requests may go there.' }),
  provider: z.enum(PROVIDERS).meta({
    description: 'Kind of upstream; decides the default base_url. The name of the upstream when that is a provider.',
  }),
  base_url: z
    .string()
    .regex(
      /^(?:https?:\/\/[^\s/?#@]+|gate:\/\/[a-z2-7]{32})(?:\/[^\s?#]*)?$/,
      'write http(s)://host[:port][/path], without user, query or fragment; of a peer gate://NODE-ID',
    )
    .optional()
    .meta({
      description: 'URL up to and including the version, such as "https://api.openai.com/v1"; by provider when absent.',
    }),
  socket: z
    .string()
    .regex(/^\/[^\0]*[^/\0]$/, 'write the absolute path of a Unix socket')
    .optional()
    .meta({ description: 'Unix socket to connect to, in place of the host and port in base_url.' }),
  api_key: headerSecret.optional().meta({
    description: 'Key sent to the upstream; several, separated by commas, take turns when one is told to wait.',
    secret: true,
  }),
  key_requests_per_minute: keyRequestsPerMinute,
  models: z
    .array(z.string().min(1))
    .optional()
    .meta({ description: 'Ids of the models to expose; asked from the upstream when absent.' }),
  dialects,
  parameters,
  system_prefix: systemPrefix,
  tool_arguments: toolArguments,
  prices,
  timeout: limitingDuration('Longest wait for the response headers.').default('600s'),
  idle_timeout: limitingDuration('Longest silence inside a response.').default('120s'),
  connect_timeout: limitingDuration('Longest wait for a connection.').default('5s'),
})

const DECIDED = { none: 'the engine and the compiler decide it' } as const
const WITHOUT = { none: 'backends of the spec have no such key' } as const
const shape = upstream.shape

/** A backend is an upstream; what the spec does not say of it, the compiler writes into the declared layer. */
export const backend = upstream.extend({
  enabled: shape.enabled.meta({ spec: { none: 'a backend that is not to serve is left out of the spec' } }),
  provider: shape.provider.meta({ spec: DECIDED }),
  base_url: shape.base_url.meta({ spec: DECIDED }),
  socket: shape.socket.meta({ spec: DECIDED }),
  models: shape.models.meta({ spec: { none: 'the spec names the one `model` that it serves' } }),
  key_requests_per_minute: shape.key_requests_per_minute.meta({ spec: WITHOUT }),
  dialects: shape.dialects.meta({ spec: WITHOUT }),
  parameters: shape.parameters.meta({ spec: WITHOUT }),
  system_prefix: shape.system_prefix.meta({ spec: WITHOUT }),
  tool_arguments: shape.tool_arguments.meta({ spec: WITHOUT }),
  prices: shape.prices.meta({ spec: WITHOUT }),
  timeout: shape.timeout.meta({ spec: WITHOUT }),
  idle_timeout: shape.idle_timeout.meta({ spec: WITHOUT }),
  connect_timeout: shape.connect_timeout.meta({ spec: WITHOUT }),
  agent: z
    .string()
    .regex(/^\/[^\0]*[^/\0]$/, 'write the absolute path of a Unix socket')
    .optional()
    .meta({
      description: 'Socket of its gate-agent, which starts, stops and describes it; absent: none.',
      spec: DECIDED,
    }),
  idle_stop: duration(
    'It stops by itself after this long without a connection and starts on the next one; absent: always on.',
  ).optional(),
  group: z.string().regex(NAME, NAME_FORM).optional().meta({
    description: 'At most one backend of a group runs at a time, except those with the same together; needs agent.',
  }),
  together: z
    .string()
    .regex(NAME, NAME_FORM)
    .optional()
    .meta({ description: 'Backends of its group with the same word run side by side, and give way to others as one.' }),
  priority: z
    .int()
    .min(0)
    .max(100)
    .default(0)
    .meta({ description: 'Within its group, requests for the backend with the highest priority are served first.' }),
  price_per_hour: pricePerHour,
  start_timeout: duration('Longest wait for it to start.').default('300s'),
  max_concurrent: z
    .int()
    .min(1)
    .optional()
    .meta({ description: 'Requests that it answers at a time, others wait; no limit when absent.' }),
  max_waiting: z.int().min(1).default(100).meta({ description: 'Requests that may wait for it; more are refused.' }),
  wait_timeout: duration(
    'Longest wait for a free place, or until another backend of the group has finished its requests.',
  ).default('120s'),
})

/** What runs on this host and serves no models, such as Open WebUI: only operators have to do with it. */
export const app = z.strictObject({
  agent: z
    .string()
    .regex(/^\/[^\0]*[^/\0]$/, 'write the absolute path of a Unix socket')
    .meta({ description: 'Socket of its gate-agent, which starts, stops and describes it.', spec: DECIDED }),
})

const target = z
  .strictObject({
    upstream: z.string().regex(NAME, NAME_FORM).meta({ description: 'Name of an upstream or backend.' }),
    model: z.string().min(1).optional().meta({ description: 'Id sent to the upstream; the alias itself when absent.' }),
    weight: z.number().positive().max(1_000_000).default(1).meta({ description: 'Share of requests (weighted).' }),
    base_url: targetBaseUrl,
    parameters,
    system_prefix: systemPrefix,
  })
  .meta({ textForm: 'The upstream and its id, such as "openai/gpt-5".' })

export const model = z.strictObject({
  targets: z.array(target).min(1).meta({
    description:
      'Where requests for this model go: texts such as "openai/gpt-5", or tables with upstream, model and weight.',
  }),
  strategy: z.enum(['fallback', 'weighted', 'latency', 'cost']).default('fallback').meta({
    description: 'fallback: in order; weighted: by share; latency: the faster of two; cost: the cheapest first.',
  }),
  affinity,
  failover,
  parameters,
  system_prefix: systemPrefix,
  category: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Category this alias belongs to; usable as a model name.' }),
})
