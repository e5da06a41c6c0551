import { z } from 'zod'
import { specSchema } from './spec/spec.ts'

/** JSON Schema of the spec, for editors: `schemas/json/spec.json`. */
export function specJsonSchema(): string {
  return jsonSchemaText('gate/spec.json', 'Gate spec (gate.toml)', specSchema)
}

/** A name of an upstream or backend, and what may follow it. */
const TEXT_FORM = '^(?=[^/]{1,63}(?:/|$))[a-z0-9]+(?:[_-][a-z0-9]+)*(?:/[\\s\\S]+)?$'

/** JSON Schema of what is written, as text. */
export function jsonSchemaText($id: string, title: string, schema: z.ZodType): string {
  const body = z.toJSONSchema(schema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      // The pattern is what is checked; a reader's own idea of the format could refuse more.
      if (jsonSchema.pattern !== undefined) delete jsonSchema.format
      // Ours only: strict readers refuse keywords that they do not know.
      for (const keyword of ['secret', 'restart', 'timer', 'narrows', 'spec']) delete jsonSchema[keyword]
      const { textForm, ...table } = jsonSchema
      if (typeof textForm !== 'string') return
      for (const keyword of Object.keys(jsonSchema)) delete jsonSchema[keyword]
      jsonSchema.anyOf = [{ type: 'string', pattern: TEXT_FORM, description: textForm }, table]
    },
  })
  return `${JSON.stringify({ $id, title, ...body }, null, 2)}\n`
}
