import { z } from 'zod'
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
} from '../config/tuning.ts'
import { PROVIDERS } from '../words/providers.ts'
import { boundedDuration } from './bounded.ts'
import { absolutePath, flag, secret } from './values.ts'

/** One entry of `upstreams`: a provider that requests can go to. */
export const upstream = z.strictObject({
  enabled: flag(true, 'Whether requests may go there.'),
  provider: z.enum(PROVIDERS).meta({ description: 'Kind of upstream; decides the default base_url.' }),
  base_url: z
    .string()
    .regex(
      /^(?:https?:\/\/[^\s/?#@]+|gate:\/\/[a-z2-7]{32})(?:\/[^\s?#]*)?$/,
      'write http(s)://host[:port][/path], without user, query or fragment; of a peer gate://NODE-ID',
    )
    .optional()
    .meta({ description: 'URL up to and including the version, such as "https://api.openai.com/v1".' }),
  socket: absolutePath('Unix socket to connect to, in place of the host and port in base_url.').optional(),
  api_key: secret(
    'Key sent to the upstream; several, separated by commas, take turns when one is told to wait.',
  ).optional(),
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
  timeout: boundedDuration('Longest wait for the response headers.', '1ms').default('600s'),
  idle_timeout: boundedDuration('Longest silence inside a response.', '1ms').default('120s'),
  connect_timeout: boundedDuration('Longest wait for a connection.', '1ms').default('5s'),
})

const target = z
  .strictObject({
    backend: z.string().optional().meta({ description: 'Name of a backend.' }),
    upstream: z.string().optional().meta({ description: 'Name of an upstream.' }),
    alias: z.string().optional().meta({ description: 'Name of another virtual model.' }),
    model: z
      .string()
      .min(1)
      .optional()
      .meta({ description: 'Id sent there; the alias itself, or the model of the backend.' }),
    weight: z.number().positive().max(1_000_000).default(1).meta({ description: 'Share of requests (weighted).' }),
    base_url: targetBaseUrl,
    parameters,
    system_prefix: systemPrefix,
  })
  .meta({ textForm: 'The upstream or backend and its id, such as "openai/gpt-5".' })

/** One entry of `models`: what clients ask for, and what it resolves to. */
export const model = z.strictObject({
  category: z.string().min(1).optional().meta({ description: 'Category; usable as a model name.' }),
  targets: z.array(target).min(1).meta({
    description:
      'Where requests go: texts such as "openai/gpt-5", or tables with backend, upstream or alias, and model and weight.',
  }),
  strategy: z.enum(['fallback', 'weighted', 'latency', 'cost']).default('fallback').meta({
    description: 'fallback: in order; weighted: by share; latency: the faster of two; cost: the cheapest first.',
  }),
  affinity,
  failover,
  parameters,
  system_prefix: systemPrefix,
})
