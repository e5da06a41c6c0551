import { z } from 'zod'
import { GRADES } from './words/dialects.ts'
import { MODALITIES } from './words/model-facts.ts'

/**
 * POST /v1/route: a request that is not sent. Either its body (`request`, in the words of `dialect`), or what it would be
 * like: what it holds besides text, whether it has tools, how many tokens it is long.
 */
export const routeRequest = z
  .strictObject({
    /** As clients name it; in place of the model in `request`. */
    model: z.string().min(1).exactOptional(),
    holds: z.array(z.enum(MODALITIES)).default([]),
    tools: z.boolean().default(false),
    tokens: z.int().nonnegative().default(0),
    /** Of its client, such as `anthropic`. */
    dialect: z.string().exactOptional(),
    /** Id of the key that sends it; absent: one that may use everything. */
    key: z.string().exactOptional(),
    /** What its client calls its session. */
    session: z.string().exactOptional(),
    request: z.record(z.string(), z.unknown()).exactOptional(),
  })
  .refine(({ model, request }) => model !== undefined || request !== undefined, 'name a model, or send a request')
/** Where requests for a model go: the targets in the order in which they are asked, then those that are not. */
export const routeExplanation = z.strictObject({
  model: z.string(),
  strategy: z.enum(['fallback', 'weighted', 'latency', 'cost']),
  /** A category: what is loaded comes before what is not. */
  loaded_first: z.boolean(),
  /** What was found in the request; tokens are estimated. */
  needs: z.strictObject({ holds: z.array(z.string()), tools: z.boolean(), tokens: z.int() }),
  targets: z.array(
    z.strictObject({
      upstream: z.string(),
      model: z.string(),
      /** From 1; null: it is not asked. */
      turn: z.int().nullable(),
      why: z.string(),
      /** The requests of this session are here. */
      stays: z.boolean(),
      weight: z.number(),
      /** To the first byte, as measured lately; null: it was not. */
      latency_ms: z.number().nullable(),
      in_flight: z.int(),
      /** It failed last time; once it has rested, one request tries it. */
      failed: z.boolean(),
      rests_ms: z.number(),
      /** Micro-dollars for a million tokens; null: not known. */
      price: z.strictObject({ input: z.number(), output: z.number() }).nullable(),
      /** Of a backend; null: it is none. */
      readiness: z.enum(['loaded', 'starting', 'asleep', 'stopping', 'refusing']).nullable(),
      /** What is spoken with it; null: no client was named. */
      spoken: z.strictObject({ dialect: z.string(), grade: z.enum(GRADES) }).nullable(),
    }),
  ),
})
export type RouteExplanation = z.output<typeof routeExplanation>
export type RouteRequest = z.output<typeof routeRequest>
