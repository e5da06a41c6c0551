import { lockFile, readLock } from '../../compiler/lock.ts'
import { LOCK_FILE, type Lock } from '../../schemas/deploy/lock.ts'
import { type Account, readAccounts, type SubidRange } from '../accounts.ts'
import type { Host } from '../host.ts'

/**
 * Notes in the lock that the ids of accounts that go are never given again: what they left on a disk, or on a backup of
 * one, would belong to the next backend that gets them.
 * @param gone accounts, while they are still there
 * @returns the lock, if any of it stays
 */
export function retireIds(
  host: Host,
  prefix: string,
  gone: readonly Account[],
  subuids: readonly SubidRange[],
): string[] {
  const path = `/etc/${prefix}/${LOCK_FILE}`
  const { lock } = readLock(host.read(path))
  const going = new Set(gone.map(({ name }) => name))
  const { users: there } = readAccounts(host)
  const isGone = (backend: string) => {
    const name = `${prefix}-${backend}`
    return going.has(name) || !there.has(name)
  }
  const ids = [
    ...lock.retired,
    ...Object.entries(lock.users).flatMap(([backend, ids]) => (isGone(backend) ? [ids] : [])),
    ...gone.flatMap(({ name, uid }) =>
      subuids.filter(({ owner }) => owner === name).map(({ start: subuid }) => ({ uid, subuid })),
    ),
  ]
  const retired = [...new Map(ids.map((one) => [`${one.uid} ${one.subuid}`, one])).values()]
  const users = Object.fromEntries(Object.entries(lock.users).filter(([backend]) => !isGone(backend)))
  if (retired.length === 0 && Object.keys(users).length === 0) {
    host.remove(path)
    return []
  }
  const kept: Lock = { version: 1, users, ports: {}, retired: retired.toSorted((a, b) => a.uid - b.uid) }
  host.write(path, lockFile(kept).text, 0o644)
  return [path]
}
