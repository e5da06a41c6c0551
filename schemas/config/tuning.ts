import { z } from 'zod'
import { GRADES } from '../words/dialects.ts'

// What may be said of an upstream, a model or one of its targets besides where it is. Spec and configuration share it.

const microdollars = (description: string) => z.int().min(0).max(1_000_000_000_000).meta({ description })

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Fields that say what is asked for: those are the client's. */
const NAME = /^(?!(?:model|messages|input|contents|stream)$)[A-Za-z_][\w-]{0,99}$/

const parameter = z.strictObject({
  name: z
    .string()
    .regex(NAME, 'write the name of a field of requests other than model, messages, input, contents and stream')
    .meta({ description: 'Field of the request, as the upstream names it.' }),
  default: z
    .union([z.string(), z.number(), z.boolean()])
    .optional()
    .meta({ description: 'Its value where the client sets none.' }),
  json: z
    .string()
    .refine(isJson, 'write JSON')
    .optional()
    .meta({ description: 'The same as JSON, for lists and objects.' }),
  drop: z.boolean().optional().meta({ description: 'Leave the field out, also where the client sets it.' }),
})
export type Parameter = z.output<typeof parameter>

export const parameters = z.array(parameter).optional().meta({
  description: 'Fields of requests that get a default or are dropped: tables with name and default, json or drop.',
})

export const systemPrefix = z
  .string()
  .min(1)
  .optional()
  .meta({ description: "Text put in front of the client's instructions." })

const grade = (dialect: string) =>
  z
    .enum(GRADES)
    .optional()
    .meta({ description: `How well it speaks ${dialect}; by provider, or as it was found out, when absent.` })

export const dialects = z
  .strictObject({
    openai_chat: grade("OpenAI's chat completions"),
    openai_responses: grade("OpenAI's responses"),
    anthropic: grade("Anthropic's messages"),
    google: grade("Google's generateContent"),
    ollama: grade("Ollama's API"),
  })
  .optional()

const price = z.strictObject({
  model: z.string().min(1).meta({ description: 'Id of the model at the upstream.' }),
  input: microdollars('Micro-dollars for a million tokens of input.'),
  output: microdollars('The same of output.'),
  cache_read: microdollars('The same of input that came from a cache.').optional(),
  cache_write: microdollars('The same of input that was put into a cache.').optional(),
})
export type Price = z.output<typeof price>

export const prices = z.array(price).optional().meta({
  description:
    'Prices of its models, in place of the known ones: tables with model, input and output in micro-dollars.',
})

export const toolArguments = z.enum(['check', 'repair', 'pass']).optional().meta({
  description:
    'Arguments of tools in answers that are translated. check: repaired, or refused; repair: the same, but an object that does not fit its schema passes; pass: as they come. When absent, pass for openai, anthropic, google, azure, bedrock and peer, and check for all others.',
})

export const keyRequestsPerMinute = z
  .int()
  .min(1)
  .optional()
  .meta({ description: 'Requests per minute with each key of api_key; no limit when absent.' })

export const affinity = z.enum(['session', 'none']).default('session').meta({
  description: 'session: requests of one session go to the same target while it is well, where prompts are cached.',
})

export const failover = z.enum(['before-content', 'mid-stream']).default('before-content').meta({
  description:
    'before-content: other targets are tried only until the client has received content; mid-stream: if a text breaks off, the next capable target continues it.',
})

export const targetBaseUrl = z
  .string()
  .regex(
    /^https?:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?$/,
    'write http(s)://host[:port][/path], without user, query or fragment',
  )
  .optional()
  .meta({ description: 'URL for this target, below the base_url of its upstream.' })
