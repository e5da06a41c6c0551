import { pathText, type SpecPath } from '../../schemas/spec/path.ts'

/**
 * One table of nftables with one chain for incoming packets: the tree, and the only place that quotes for it.
 * @see nft(8)
 */
export type InputTable = {
  readonly origin: SpecPath
  readonly comment: readonly string[]
  /** An nftables identifier: letters, digits and underscores. */
  readonly name: string
  readonly rules: readonly Rule[]
}

export type Rule = {
  readonly origin?: SpecPath
  /** Absent: every interface. */
  readonly interface?: string
  /** Absent: every packet, or those of connections that exist already. */
  readonly packets: { readonly protocol: 'tcp' | 'udp'; readonly port: number } | 'all' | 'established'
  readonly verdict: 'accept' | 'drop'
}

/** A file for `nft -f` that replaces this table and touches no other, and for each line where it comes from. */
export function printTable(table: InputTable): { text: string; origins: string[] } {
  const name = identifier(table.name)
  const lines: { text: string; path?: SpecPath | undefined }[] = [
    ...table.comment.map((line) => ({ text: `# ${line}` })),
    // the first line makes the table when it is absent, so that the second can remove it
    { text: `table inet ${name}` },
    { text: `delete table inet ${name}` },
    { text: `table inet ${name} {` },
    { text: '    chain input {' },
    { text: '        type filter hook input priority filter; policy accept;' },
    ...table.rules.map((rule) => ({ text: `        ${printRule(rule)}`, path: rule.origin })),
    { text: '    }' },
    { text: '}' },
  ]
  return {
    text: lines.map(({ text }) => `${text}\n`).join(''),
    origins: lines.map(({ path }) => pathText(path ?? table.origin)),
  }
}

function printRule({ interface: from, packets, verdict }: Rule): string {
  const where = from === undefined ? '' : `iifname "${interfaceName(from)}" `
  if (packets === 'all') return `${where}${verdict}`
  if (packets === 'established') return `${where}ct state established,related ${verdict}`
  return `${where}${packets.protocol} dport ${packets.port} ${verdict}`
}

function identifier(name: string): string {
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) throw new RangeError(`not an nftables identifier: ${JSON.stringify(name)}`)
  return name
}

/** Strings of nft have no escapes, and a star at their end is a pattern: only names of interfaces are let through. */
function interfaceName(name: string): string {
  if (!/^[A-Za-z0-9_.@:-]{1,15}$/.test(name)) throw new RangeError(`not an interface name: ${JSON.stringify(name)}`)
  return name
}
