import { execFileSync } from 'node:child_process'
import { hasProgram } from './programs.ts'

/** Sees a resolv.conf of its own: `ip netns exec` gives a program its own mounts. */
const WITH_RESOLVER =
  'file=$(mktemp) && echo "nameserver $0" >"$file" && mount --bind "$file" /etc/resolv.conf && rm "$file" && exec "$@"'

/**
 * The program and arguments that run another one in a network namespace.
 * @param resolver address of the name server that it asks
 */
export const inNetns = (netns: string, program: string, resolver?: string): [string, string[]] => [
  'ip',
  ['netns', 'exec', netns, ...(resolver === undefined ? [] : ['sh', '-c', WITH_RESOLVER, resolver]), program],
]

/** One cable between two namespaces, with the addresses of its ends. */
type Cable = readonly [from: string, fromAddress: string, to: string, toAddress: string]

/** Whether network namespaces can be made here. */
export function hasNetns(): boolean {
  const name = `gt-probe-${process.pid}`
  return hasProgram('ip') && quietly('netns', 'add', name) && quietly('netns', 'del', name)
}

/** Makes namespaces that are joined by cables and by nothing else. @returns how to remove them */
export function layCables(namespaces: readonly string[], cables: readonly Cable[]): () => void {
  const remove = () => {
    for (const name of namespaces) quietly('netns', 'del', name)
  }
  remove()
  for (const name of namespaces) {
    ip('netns', 'add', name)
    ip('-n', name, 'link', 'set', 'lo', 'up')
  }
  for (const [at, [from, fromAddress, to, toAddress]] of cables.entries()) {
    const [a, b] = [`gt${process.pid % 10_000}a${at}`, `gt${process.pid % 10_000}b${at}`]
    ip('link', 'add', a, 'netns', from, 'type', 'veth', 'peer', 'name', b, 'netns', to)
    for (const [netns, link, address] of [
      [from, a, fromAddress],
      [to, b, toAddress],
    ] as const) {
      ip('-n', netns, 'addr', 'add', address, 'dev', link, ...(address.includes(':') ? ['nodad'] : []))
      ip('-n', netns, 'link', 'set', link, 'up')
    }
  }
  return remove
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' })
}

function quietly(...args: readonly string[]): boolean {
  try {
    ip(...args)
    return true
  } catch {
    return false
  }
}
