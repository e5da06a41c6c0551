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

/** One table with one chain for new connections of one account; what no rule lets through is refused. */
export type OutputTable = Omit<InputTable, 'rules'> & {
  readonly user: string
  readonly rules: readonly OutputRule[]
  /** Ports of the loopback at which only one account answers. */
  readonly reserved: readonly ReservedPort[]
}

/** @see OutputTable */
export type ReservedPort = {
  readonly origin: SpecPath
  readonly address: string
  readonly port: number
  /** User id: the account need not be there yet. */
  readonly uid: number
}

export type OutputRule = { readonly origin?: SpecPath } & (
  | { readonly to: 'range'; readonly range: string; readonly ports: readonly Port[] | 'all' }
  /** Every address, or every one that is not in a range; no two ranges overlap. */
  | { readonly to: 'port'; readonly ports: readonly Port[] }
  | { readonly to: 'all but'; readonly family: 4 | 6; readonly ranges: readonly string[] }
  /** Addresses of this host are refused from here on, whichever they are. */
  | { readonly to: 'this host' }
)

type Port = { readonly protocol: 'tcp' | 'udp'; readonly port: number }

type Line = { readonly text: string; readonly path?: SpecPath | undefined }
type Printed = { text: string; origins: string[] }

/** A file for `nft -f` that replaces this table and touches no other, and for each line where it comes from. */
export function printTable(table: InputTable): Printed {
  const rules = table.rules.map((rule) => ({ text: printRule(rule), path: rule.origin }))
  return printChains(table, { input: [hooked('input'), ...rules] })
}

/**
 * The same for what an account connects to. Answers to its own clients belong to connections that exist. The account
 * is asked for, and not the others: what the kernel sends itself, for NFS or WireGuard, is no account's.
 */
export function printOutputTable(table: OutputTable): Printed {
  const rules = table.rules.flatMap((rule) => printOutputRule(rule).map((text) => ({ text, path: rule.origin })))
  const { reserved } = table
  const name = accountName(table.user)
  return printChains(table, {
    account: [...rules, { text: REFUSED }],
    ...(reserved.length === 0 ? {} : { reserved: reserved.flatMap(printReserved) }),
    output: [
      hooked('output'),
      ...(reserved.length === 0 ? [] : ANSWERS.map((what) => ({ text: `oifname "lo" ${what} goto reserved` }))),
      ...ATTEMPTS.map((what) => ({ text: `meta skuid "${name}" ${what} goto account` })),
    ],
  })
}

/**
 * Another account may listen there while the port is free, but none of its answers arrives, so no client says a word.
 * A SYN that meets that of a client answers it, too. @see RFC 9293 "Simultaneous open"
 */
const ANSWERS = ['tcp flags & (syn | ack) == syn | ack', 'tcp flags & (syn | ack) == syn ct direction reply']

function printReserved({ origin, address, port, uid }: ReservedPort): Line[] {
  const from = `${family(address)} saddr ${range(address)} tcp sport ${port}`
  return [`${from} meta skuid ${uid} accept`, `${from} drop`].map((text) => ({ text, path: origin }))
}

/**
 * A connection is asked for by its first packet. To conntrack, one that a client opened before the table was loaded would
 * be new with the next packet of either side, so for TCP (RFC 9293) that packet is what counts.
 */
const ATTEMPTS = ['tcp flags & (fin | syn | rst | ack) == syn', 'meta l4proto != tcp ct state new']

const hooked = (hook: 'input' | 'output'): Line => ({
  text: `type filter hook ${hook} priority filter; policy accept;`,
})

/** The program is told at once, with an error of its own (EHOSTUNREACH, EACCES). */
const REFUSED = 'reject with icmpx admin-prohibited'

function printOutputRule(rule: OutputRule): string[] {
  switch (rule.to) {
    case 'port':
      return rule.ports.map(({ protocol, port }) => `${protocol} dport ${port} accept`)
    case 'range': {
      const where = destination(rule.range)
      if (rule.ports === 'all') return [`${where} accept`]
      return rule.ports.map(({ protocol, port }) => `${where} ${protocol} dport ${port} accept`)
    }
    case 'all but':
      return [`${rule.family === 4 ? 'ip' : 'ip6'} daddr != { ${rule.ranges.map(range).join(', ')} } accept`]
    case 'this host':
      return [`fib daddr type local ${REFUSED}`]
  }
}

const destination = (text: string): string => `${family(text)} daddr ${range(text)}`
const family = (address: string): string => (address.includes(':') ? 'ip6' : 'ip')

function printChains(table: Omit<InputTable, 'rules'>, chains: Readonly<Record<string, readonly Line[]>>): Printed {
  const name = identifier(table.name)
  const lines: Line[] = [
    ...table.comment.map((line) => ({ text: `# ${line}` })),
    // the first line makes the table when it is absent, so that the second can remove it
    { text: `table inet ${name}` },
    { text: `delete table inet ${name}` },
    { text: `table inet ${name} {` },
    ...Object.entries(chains).flatMap(([chain, rules]) => [
      { text: `    chain ${chain} {` },
      ...rules.map(({ text, path }) => ({ text: `        ${text}`, path })),
      { text: '    }' },
    ]),
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

/** It is looked up when the table is loaded. */
function accountName(name: string): string {
  if (!/^[a-z_][a-z0-9_-]{0,30}$/.test(name)) throw new RangeError(`not an account: ${JSON.stringify(name)}`)
  return name
}

function range(text: string): string {
  if (!/^[0-9a-fA-F:.]+(?:\/\d{1,3})?$/.test(text)) throw new RangeError(`not an address: ${JSON.stringify(text)}`)
  return text
}

/** Strings of nft have no escapes, and a star at their end is a pattern: only names of interfaces are let through. */
function interfaceName(name: string): string {
  if (!/^[A-Za-z0-9_.@:-]{1,15}$/.test(name)) throw new RangeError(`not an interface name: ${JSON.stringify(name)}`)
  return name
}
