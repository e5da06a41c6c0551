import { z } from 'zod'

/**
 * What the compiler keeps beside its output: the files that it made, with their SHA-256, so that it can remove them
 * again.
 */
export const manifestSchema = z.strictObject({
  version: z.literal(1),
  // the file could come from anywhere: no path in it may lead out of the directory
  files: z.record(z.string().regex(/^(?!.*(?:^|\/)\.{0,2}(?:\/|$))[^\0\\]+$/), z.string().regex(/^[0-9a-f]{64}$/)),
})
