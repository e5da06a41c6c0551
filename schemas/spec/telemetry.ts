import { z } from 'zod'
import { PROPAGATE } from '../config/telemetry.ts'
import { httpUrl } from '../config/values.ts'
import { boundedDuration } from './bounded.ts'
import { flag, secret } from './values.ts'

/** The key `gate.telemetry` of the spec. */
export const telemetry = z.strictObject({
  endpoint: httpUrl.optional().meta({
    description:
      'Base URL of an OpenTelemetry collector (OTLP/HTTP), such as "http://127.0.0.1:4318"; absent: nothing is sent.',
  }),
  headers: secret(
    'Headers for the collector: name=value pairs with commas between, values percent-encoded.',
  ).optional(),
  traces: flag(true, 'Send traces of requests.'),
  metrics: flag(true, 'Send metrics.'),
  sample: z.number().min(0).max(1).default(1).meta({
    description: 'Share of traces that Gate begins and sends; a client that sends traceparent decides for its own.',
  }),
  interval: boundedDuration('Time between two sendings of metrics; 60s when absent.', '1s').optional(),
  propagate: z.enum(PROPAGATE).default('own').meta({
    description: 'Upstreams that are told the trace: own (backends, and what listens on this host), all, or none.',
  }),
})

/** The key `gate.secrets` of the spec. */
export const secrets = z.strictObject({
  encryption_key: secret(
    'Opens keyring.json, whose keys seal what is secret at rest; a file of the state directory does when absent.',
  ).optional(),
  previous_key: secret('What encryption_key was before, for the start after it was changed.').optional(),
})
