import { z } from 'zod'

/** What was asked and answered, where `usage.keep_text` says that it is kept. */
const keptText = z.strictObject({
  request_id: z.string(),
  at: z.iso.datetime(),
  key_id: z.string(),
  user_id: z.string(),
  model: z.string(),
  /** The body of the request. */
  prompt: z.string(),
  /** The body of the answer: JSON, or the events of a stream. */
  answer: z.string(),
  /** Bytes that were left out of either. */
  cut_bytes: z.int(),
})

export const TEXT_ANSWERS = { 'GET /api/admin/texts/{id}': keptText } as const
