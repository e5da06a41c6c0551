import { z } from 'zod'
import { configChange, daemonStatus } from '../admin.ts'
import { NAME } from '../config/values.ts'
import { PROVIDERS } from '../words/providers.ts'

const settings = {
  provider: z.enum(PROVIDERS),
  base_url: z.string().min(1).max(2_000),
  socket: z.string().min(1).max(108),
  /** Kept sealed, and never shown again. */
  api_key: z.string().min(1).max(4_000),
  models: z.array(z.string().min(1).max(200)).max(10_000),
  enabled: z.boolean(),
}

/** POST /api/admin/upstreams; what the configuration has besides can be set key by key. */
export const upstreamRequest = z.strictObject({
  name: z.string().regex(NAME, 'use lower-case letters and digits, with single "-" or "_" between'),
  provider: settings.provider,
  base_url: settings.base_url.exactOptional(),
  socket: settings.socket.exactOptional(),
  api_key: settings.api_key.exactOptional(),
  models: settings.models.exactOptional(),
  enabled: settings.enabled.exactOptional(),
})
/** PATCH /api/admin/upstreams/{name}: `null` takes a setting away. */
export const upstreamChange = z.strictObject({
  provider: settings.provider.exactOptional(),
  base_url: settings.base_url.nullable().exactOptional(),
  socket: settings.socket.nullable().exactOptional(),
  api_key: settings.api_key.nullable().exactOptional(),
  models: settings.models.nullable().exactOptional(),
  enabled: settings.enabled.nullable().exactOptional(),
})

export const upstreamInfo = daemonStatus.shape.upstreams.element.extend({
  enabled: z.boolean(),
  /** Absent: that of its provider. */
  base_url: z.string().exactOptional(),
  /** Whether a key is sent to it; the key itself is never shown. */
  has_key: z.boolean(),
  /** Where it is configured; found: an engine on this host that is not configured. */
  from: z.enum(['upstreams', 'backends', 'found']),
})
const upstreamList = z.strictObject({ upstreams: z.array(upstreamInfo) })

export const UPSTREAM_ANSWERS = {
  'GET /api/admin/upstreams': upstreamList,
  'GET /api/admin/upstreams/{name}': upstreamInfo,
  'POST /api/admin/upstreams': upstreamInfo,
  'PATCH /api/admin/upstreams/{name}': configChange,
  'DELETE /api/admin/upstreams/{name}': configChange,
} as const
