import type { Node } from './node.ts'

/** What the internal CA of the host owes to a deployment. */
export type AuthorityNode = Node & {
  /** What tells its root from others in a trust store. */
  readonly label: string
  /** What the root may sign for: each domain with all names below it, and each address alone. */
  readonly permitted: { readonly domains: readonly string[]; readonly addresses: readonly string[] }
  /** In the certificate of the proxy; absent: the daemon serves TLS itself, with a CA of its own. */
  readonly proxyNames: readonly string[] | undefined
}
