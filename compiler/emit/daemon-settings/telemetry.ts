import type { SpecPath } from '../../../schemas/spec/path.ts'
import { type JsonNode, object, value } from '../../../syntax/json/print.ts'
import type { Deployment } from '../../ir/deployment.ts'
import { durationText } from './duration-text.ts'

/** The table `telemetry`, of what is not as usual; undefined when all is. */
export function telemetryTable({ gateway }: Deployment): JsonNode | undefined {
  const { endpoint, traces, metrics, sample, intervalMs, propagate, ...rest } = gateway.telemetry
  rest satisfies Record<string, never>
  const origin: SpecPath = ['gate', 'telemetry']
  const at = (key: string, content: string | number | boolean | undefined, usual?: string | number | boolean) =>
    content === undefined || content === usual ? undefined : value([...origin, key], content)
  const written = {
    endpoint: at('endpoint', endpoint),
    traces: at('traces', traces, true),
    metrics: at('metrics', metrics, true),
    sample: at('sample', sample, 1),
    interval: at('interval', intervalMs === undefined ? undefined : durationText(intervalMs)),
    propagate: at('propagate', propagate, 'own'),
  }
  return Object.values(written).every((node) => node === undefined) ? undefined : object(origin, written)
}
