import type { Layout } from '../../../schemas/deploy/layout.ts'
import { printColumns, type Row } from '../../../syntax/columns/print.ts'
import type { Directory, Group, Link, User } from '../../ir/nodes/host.ts'

const COMMENT = ['Made by gatectl; changes here are lost.']

/** Accounts and groups. @see sysusers.d(5) */
export function sysusers(users: readonly User[], groups: readonly Group[], { programs }: Layout, comment = COMMENT) {
  const rows: Row[] = [
    ...groups.map(({ name, origin }) => ({ columns: ['g', name, '-'], origin })),
    ...users.map(({ name, uid, description, home, origin }) => ({
      columns: ['u', name, uid === undefined ? '-' : String(uid), description, home, programs.nologin],
      origin,
    })),
    ...users.flatMap(({ name, groups: memberships, origin }) =>
      memberships.map((group) => ({ columns: ['m', name, group], origin })),
    ),
  ]
  return printColumns({ comment, rows })
}

type Paths = {
  readonly users: readonly User[]
  readonly directories: readonly Directory[]
  readonly links: readonly Link[]
}

/** Directories, links, and user managers that run from boot on. @see tmpfiles.d(5), loginctl(1) "enable-linger" */
export function tmpfiles({ users, directories, links }: Paths, layout: Layout, comment = COMMENT) {
  const { linger } = layout.directories
  const lingering = linger === null ? [] : users.filter((user) => user.linger)
  const rows: Row[] = [
    ...directories.map(({ path, mode, user, group, origin }) => ({
      columns: ['d', path, `0${mode.toString(8)}`, user, group, '-'],
      origin,
    })),
    ...links.map(({ path, target, origin }) => ({ columns: ['L+', path, '-', '-', '-', '-', target], origin })),
    ...lingering.map(({ name, origin }) => ({
      columns: ['f', `${linger}/${name}`, '0644', 'root', 'root', '-'],
      origin,
    })),
  ]
  return printColumns({ comment, rows })
}
