import type { FileStatus, HostView } from '../host.ts'

/** Whether a directory of ours is still to be made: an account may have put a link in its place. */
export function isToBeMade(host: HostView, path: string): boolean {
  const status = host.status(path)
  return status === undefined || isStray(status)
}

/** A link of root's is the administrator's way to another disk. */
export const isStray = ({ kind, uid }: FileStatus): boolean => kind === 'link' && uid !== 0
