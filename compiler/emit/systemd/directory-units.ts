import type { Layout } from '../../../schemas/deploy/layout.ts'
import { command, literal, text, type UnitFile } from '../../../syntax/unit/print.ts'
import type { Deployment } from '../../ir/deployment.ts'
import { directoryDropIn } from '../../ir/names.ts'
import type { BoundedDirectories } from '../../ir/nodes/host.ts'
import { entries } from './hardening.ts'

/** File name -> unit: what mounts the small file systems of each backend, before its user's manager runs. */
export function directoryUnits(
  { boundedDirectories, prefix }: Deployment,
  layout: Layout,
  comment: readonly string[],
): Record<string, UnitFile> {
  const units = boundedDirectories.flatMap((directory): [string, UnitFile][] => [
    [directory.unit, directoryUnit(directory, prefix, layout, comment)],
    [directoryDropIn(directory.uid), managerDropIn(directory, comment)],
  ])
  return Object.fromEntries(units)
}

/** The manager makes sockets in there, and has to make them again when another file system comes in its place. */
function managerDropIn({ origin, unit }: BoundedDirectories, comment: readonly string[]): UnitFile {
  return { origin, comment, sections: [{ name: 'Unit', entries: entries({ Requires: unit, After: unit }) }] }
}

/**
 * A service and not a .mount unit: the same step fills the new file system, so that it is never there empty. It cannot
 * be in a mount namespace, from which the rest of the host would not see what it mounts.
 */
function directoryUnit(
  { origin, paths, user, uid, bytes, inodes }: BoundedDirectories,
  prefix: string,
  { programs }: Layout,
  comment: readonly string[],
): UnitFile {
  const options = `size=${bytes},nr_inodes=${inodes},mode=0700,nosuid,nodev,noexec`
  return {
    origin,
    comment,
    sections: [
      {
        name: 'Unit',
        entries: [
          { key: 'Description', value: text(`Gate: directories of ${user}`) },
          { key: 'Before', value: text(`user@${uid}.service`) },
        ],
      },
      {
        name: 'Service',
        entries: [
          ...entries({ Type: 'oneshot', RemainAfterExit: 'yes' }),
          ...paths.map((path, i) => ({
            key: 'ExecStart',
            value: command(programs.mount, '--types=tmpfs', `--options=${options}`, user, path),
            ...(i === 0
              ? { comment: 'the container and its account write there, and would fill the /run of the host' }
              : {}),
          })),
          // their owner, and what they have to hold
          {
            key: 'ExecStart',
            value: command(
              programs.systemd_tmpfiles,
              '--create',
              ...paths.map((path) => `--prefix=${path}`),
              `${prefix}.conf`,
            ),
          },
          ...paths.map((path, i) => ({
            key: 'ExecStopPost',
            value: command(`-${programs.umount}`, '--lazy', path),
            ...(i === 0 ? { comment: 'lazily: they go even if a process of the account holds on to them' } : {}),
          })),
          ...entries({
            UMask: '0077',
            LimitCORE: '0',
            NoNewPrivileges: 'yes',
            CapabilityBoundingSet: 'CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_SYS_ADMIN',
            IPAddressDeny: 'any',
            KeyringMode: 'private',
            LockPersonality: 'yes',
            MemoryDenyWriteExecute: 'yes',
            RestrictAddressFamilies: 'AF_UNIX',
            RestrictNamespaces: 'yes',
            RestrictRealtime: 'yes',
            SystemCallArchitectures: 'native',
          }),
          { key: 'SystemCallFilter', value: literal('@system-service @mount') },
        ],
      },
    ],
  }
}
