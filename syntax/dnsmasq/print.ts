import { pathText, type SpecPath } from '../../schemas/spec/path.ts'

/**
 * Options of dnsmasq, one per line: the tree, and the only place that guards its syntax.
 * @see dnsmasq(8) "CONFIG FILE"
 */
export type Option = {
  readonly name: string
  /** Joined by commas. */
  readonly values?: readonly string[]
  readonly origin?: SpecPath
}

/** The text of a file and, for each line, the path in the spec that it comes from. */
export function printDnsmasq(
  comment: readonly string[],
  options: readonly Option[],
  origin: SpecPath,
): { text: string; origins: string[] } {
  const lines = [
    ...comment.map((line) => ({ text: `# ${line}`, path: origin })),
    ...options.map((option) => ({ text: printOption(option), path: option.origin ?? origin })),
  ]
  return { text: lines.map(({ text }) => `${text}\n`).join(''), origins: lines.map(({ path }) => pathText(path)) }
}

function printOption({ name, values }: Option): string {
  return values === undefined ? name : `${name}=${values.map(plain).join(',')}`
}

/**
 * Names and addresses need no quotes, and quotes would change what dnsmasq makes of them: nothing else is let through.
 */
function plain(value: string): string {
  if (!/^[A-Za-z0-9_.:@/-]*$/.test(value))
    throw new RangeError(`dnsmasq cannot hold ${JSON.stringify(value)}: it is neither a name nor an address`)
  return value
}
