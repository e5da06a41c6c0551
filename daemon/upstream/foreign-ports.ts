import { readFile } from 'node:fs/promises'
import { parseSockets } from '../../system/proc-net.ts'

/**
 * TCP ports of this host that another login listens on: an account that takes the port of an engine would read the
 * prompts meant for it.
 * @returns nothing where the kernel does not tell (only Linux does)
 */
export async function foreignPorts(): Promise<ReadonlySet<number>> {
  // not /proc/net: ProcSubset=pid hides that
  const tables = await Promise.all(['/proc/self/net/tcp', '/proc/self/net/tcp6'].map(textOf))
  const foreign = tables
    .flatMap((text) => parseSockets(text, 'tcp'))
    .filter(({ uid }) => !isTrusted(uid, process.getuid?.()))
  return new Set(foreign.map(({ port }) => port))
}

/** First id of logins; login.defs(5) "UID_MIN". */
const FIRST_LOGIN = 1000
/** Services with DynamicUser=; systemd's docs/UIDS-GIDS.md. */
const DYNAMIC = { first: 61_184, last: 65_519 }

/** Root, our own account, and services. In a user namespace every other account is nobody, 65534. */
export function isTrusted(uid: number, own: number | undefined): boolean {
  return uid < FIRST_LOGIN || uid === own || (uid >= DYNAMIC.first && uid <= DYNAMIC.last)
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    return ''
  }
}
