import type { Parameter, Price } from '../../../schemas/config/tuning.ts'
import type { SpecPath } from '../../../schemas/spec/path.ts'
import { array, type JsonNode, object, value } from '../../../syntax/json/print.ts'

/** Lists of tables, left out where they are empty. */
export function tuningNodes(
  origin: SpecPath,
  {
    parameters,
    systemPrefix,
  }: { readonly parameters: readonly Parameter[] | undefined; readonly systemPrefix: string | undefined },
): Record<string, JsonNode | undefined> {
  return {
    parameters: listNode([...origin, 'parameters'], parameters),
    system_prefix: systemPrefix === undefined ? undefined : value([...origin, 'system_prefix'], systemPrefix),
  }
}

export function pricesNode(origin: SpecPath, prices: readonly Price[] | undefined): JsonNode | undefined {
  return listNode([...origin, 'prices'], prices)
}

export function dialectsNode(
  origin: SpecPath,
  dialects: Readonly<Record<string, string | undefined>> | undefined,
): JsonNode | undefined {
  const path = [...origin, 'dialects']
  const entries = Object.entries(dialects ?? {}).flatMap(([name, grade]) =>
    grade === undefined ? [] : [[name, value([...path, name], grade)] as const],
  )
  return entries.length === 0 ? undefined : object(path, Object.fromEntries(entries))
}

/** A list of tables of plain values; undefined when it is empty. */
export function listNode(path: SpecPath, tables: readonly object[] = []): JsonNode | undefined {
  if (tables.length === 0) return undefined
  return array(
    path,
    tables.map((table) => {
      const fields = Object.entries(table).filter(([, content]) => content !== undefined)
      return object(path, Object.fromEntries(fields.map(([name, content]) => [name, value(path, content)])))
    }),
  )
}
