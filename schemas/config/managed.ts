import { z } from 'zod'
import { jsonObject } from './values.ts'

/** What clients are told to do, once they have signed in. */
export const managed = z.strictObject({
  claude_code: jsonObject.optional().meta({
    description: 'Managed settings that Claude Code takes over once it has signed in, as a JSON object.',
  }),
})
