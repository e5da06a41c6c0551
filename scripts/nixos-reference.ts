import { z } from 'zod'
import { boolean, integer, list, type Nix, nixText, number, set, str } from '../syntax/nix/print.ts'
import { evaluateNix, NIX_TESTS } from '../test/support/nix.ts'

const optionSchema = z.object({
  name: z.string(),
  type: z.string(),
  description: z.string(),
  default: z.json().optional(),
  defaultText: z.string().optional(),
  example: z.json().optional(),
  exampleText: z.string().optional(),
})
type Option = z.output<typeof optionSchema>

/**
 * docs/nixos-options.md: every option of the modules, read off the modules themselves.
 * @throws Error without nix-instantiate
 */
export function nixosReference(): string {
  const options = z.array(optionSchema).parse(evaluateNix(`import ${NIX_TESTS}/options.nix`))
  const services = Map.groupBy(
    // an instance has the same options once more
    options.filter(({ name }) => name.startsWith('services.gate') && !/gate-daemon\.instances\./.test(name)),
    ({ name }) => name.split('.').slice(0, 2).join('.'),
  )
  const sections = [...services].map(([service, own]) => sectionText(service, own))
  return `${HEAD}\n\n${sections.join('\n\n')}\n`
}

const HEAD = `# Options on NixOS

Generated from the modules by \`npm run generate\`; [nixos.md](nixos.md) explains. \`<name>\` is a name that you choose, \`*\` one item of a list.
What has no default must be written.`

function sectionText(service: string, options: readonly Option[]): string {
  const left = options.filter(({ name }) => name !== service)
  const rows = left.map((option) => {
    const { name, type, description } = option
    const example = exampleOf(option)
    const cells = [
      code(name.slice(service.length + 1)),
      shortType(type),
      defaultOf(option),
      `${description.trim().replaceAll(/\s+/g, ' ')}${example === undefined ? '' : ` Example: ${example}`}`,
    ]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  return `## ${service}\n\n| option | type | default | |\n|---|---|---|---|\n${rows.join('\n')}`
}

/** Patterns are for the evaluation, and say little to readers. */
function shortType(type: string): string {
  return type.replaceAll(/ like (?:\S| (?!or ))+/g, '')
}

function defaultOf({ default: value, defaultText }: Option): string {
  if (defaultText !== undefined) return defaultText.includes('`') ? defaultText : code(defaultText)
  return value === undefined ? '' : code(oneLine(nixText(nixOf(value))))
}

function exampleOf({ example, exampleText }: Option): string | undefined {
  if (exampleText !== undefined) return code(oneLine(exampleText.trim()))
  return example === undefined ? undefined : code(oneLine(nixText(nixOf(example))))
}

const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ')
const code = (text: string): string => `\`${text}\``

function nixOf(value: z.output<ReturnType<typeof z.json>>): Nix {
  if (value === null) return { kind: 'code', text: 'null' }
  if (typeof value === 'string') return str(value)
  if (typeof value === 'boolean') return boolean(value)
  if (typeof value === 'number') return Number.isInteger(value) ? integer(value) : number(value)
  if (Array.isArray(value)) return list(value.map(nixOf))
  return set(Object.entries(value).map(([name, inner]) => ({ path: [name], value: nixOf(inner) })))
}
