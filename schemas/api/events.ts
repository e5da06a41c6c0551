import { z } from 'zod'
import { hostLoad, queue } from './system.ts'

/** What followers are told every two seconds by GET /api/user/events, as the data of an event `metrics`. */
const common = {
  at: z.iso.datetime(),
  requests: z.strictObject({
    /** Of the caller: those that are being answered now. */
    own: z.int().nonnegative(),
  }),
  /** Of the caller, in the last 24 hours; null: not known yet. */
  used: z
    .strictObject({
      requests: z.int(),
      input_tokens: z.int(),
      output_tokens: z.int(),
      cost_microdollars: z.int(),
    })
    .nullable(),
}

const userEvent = z.strictObject({ view: z.literal('user'), ...common })
const adminEvent = z.strictObject({
  view: z.literal('admin'),
  ...common,
  requests: common.requests.extend({ all: z.int().nonnegative() }),
  host: hostLoad,
  /** Backends, and what waits for them. */
  queues: z.array(queue),
})
/** GPU facts are not in it yet. */
export const liveEvent = z.discriminatedUnion('view', [userEvent, adminEvent])
export type LiveEvent = z.output<typeof liveEvent>
