import { z } from 'zod'
import { boundedBytes, boundedDuration, cpuShare } from './bounded.ts'
import { flag, IMAGE } from './values.ts'

/** The key `sandbox` of the spec: where models run code. */
export const sandbox = z.strictObject({
  enable: flag(false, 'Whether models may run code.'),
  runtime: z.enum(['podman', 'wasm', 'none']).default('podman').meta({ description: 'What isolates the code.' }),
  allow_unisolated: flag(false, 'Needed for runtime = "none": code then runs on the host.'),
  image: z
    .string()
    .regex(IMAGE, 'write an image such as "ghcr.io/org/name:tag", or by its digest')
    .optional()
    .meta({ description: 'Image for runtime = "podman", by digest.' }),
  timeout: boundedDuration('Longest run.', '1s', '1d').default('30s'),
  memory: boundedBytes('Memory of one run.', '16MiB').default('256MiB'),
  cpus: cpuShare(64).default(0.5).meta({ description: 'CPU share of one run.', unit: 'CPUs' }),
  network: flag(false, 'Whether the code may reach the internet.'),
  languages: z
    .array(z.enum(['python', 'javascript', 'bash']))
    .min(1)
    .default(['python', 'javascript', 'bash'])
    .meta({ description: 'Languages that may run.' }),
})
