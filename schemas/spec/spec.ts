import { z } from 'zod'
import { CATEGORIES_DESCRIPTION, category } from '../config/category.ts'
import { budget, limit } from '../config/money.ts'
import { peer } from '../config/peers.ts'
import { modelName } from '../config/values.ts'
import type { ENGINES, GPU_KINDS } from '../words/engines.ts'
import type { PROFILE_NAMES } from '../words/profiles.ts'
import { alert } from './alerts.ts'
import { backend } from './backend.ts'
import { gate } from './gate.ts'
import { model, upstream } from './models.ts'
import { relay, relayInstance } from './relay.ts'
import { sandbox } from './sandbox.ts'
import { named, type secret } from './values.ts'
import { client, dns, proxy } from './web.ts'

/**
 * The gateway spec (`gate.toml`): what one host should run. The compiler turns it into files.
 * `schemas/json/spec.json` is generated from it. A key that the daemon's configuration (`config.ts`) also has
 * carries the same name here; keys whose default depends on the profile or the engine are optional.
 */

/** Users are named gate-[<instance>-]<backend>: 31 characters at most, as sysusers.d(5) wants. */
const BACKEND_NAME = /^(?=.{1,20}$)[a-z0-9]+(?:-[a-z0-9]+)*$/

export const specSchema = z.strictObject({
  $schema: z.string().optional().meta({ description: 'JSON Schema, for editors (JSON form only).' }),
  gate: gate.prefault({}).meta({ description: 'The gateway itself.' }),
  upstreams: named(upstream, 'Providers that requests can go to, by name.'),
  backends: z
    .record(
      z.string().regex(BACKEND_NAME, 'use at most 20 lower-case letters and digits, with single "-" between'),
      backend,
    )
    .default({})
    .meta({ description: 'Local engines, by name: each one unprivileged user with one rootless container.' }),
  defaults: z
    .strictObject({ backend: backend.partial().omit({ uid: true, port: true, expose: true }).optional() })
    .optional()
    .meta({ description: 'What entries say that do not say it themselves: [defaults.backend], key by key.' }),
  models: z
    .record(modelName, model)
    .default({})
    .meta({ description: 'Virtual models, by the name that clients ask for.' }),
  categories: z.record(modelName, category).default({}).meta({ description: CATEGORIES_DESCRIPTION }),
  budgets: named(budget, 'Money that requests may cost per window, by name.'),
  limits: named(limit, 'How many requests and tokens there may be per minute, and at a time, by name.'),
  alerts: named(alert, 'Who is told of spent budgets, dead upstreams, full disks and the like, by name.'),
  proxy: proxy.prefault({}).meta({ description: 'Reverse proxy.' }),
  dns: dns.prefault({}).meta({ description: 'Name server.' }),
  relay: relay.prefault({}).meta({ description: 'Being reachable through relays (client side).' }),
  peers: named(peer, 'Other gateways, by name: those that may connect here, and those whose models are used.'),
  relays: named(relayInstance, 'Relay servers on this host, by instance.'),
  sandbox: sandbox.prefault({}).meta({ description: 'Code execution.' }),
  client: client.prefault({}).meta({ description: 'Installer for clients.' }),
})

export type Spec = z.output<typeof specSchema>
/** The spec as it was written, without defaults. */
export type WrittenSpec = z.input<typeof specSchema>
export type BackendSpec = Spec['backends'][string]
export type SecretReference = z.output<ReturnType<typeof secret>>
export type Engine = (typeof ENGINES)[number]
export type GpuKind = (typeof GPU_KINDS)[number]
export type ProfileName = (typeof PROFILE_NAMES)[number]
