import type { Layout } from '../../../schemas/deploy/layout.ts'
import { command, literal, text, type UnitFile } from '../../../syntax/unit/print.ts'
import type { Deployment } from '../../ir/deployment.ts'
import { directoryDropIn } from '../../ir/names.ts'
import type { BoundedDirectory } from '../../ir/nodes/host.ts'
import { entries } from './hardening.ts'

/** File name -> unit: what mounts the small file system of each backend's directory, before its user's manager runs. */
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
function managerDropIn({ origin, unit }: BoundedDirectory, comment: readonly string[]): UnitFile {
  return { origin, comment, sections: [{ name: 'Unit', entries: entries({ Requires: unit, After: unit }) }] }
}

/**
 * A service and not a .mount unit: the same step fills the new file system, so that it is never there empty. It cannot
 * be in a mount namespace, from which the rest of the host would not see what it mounts.
 */
function directoryUnit(
  { origin, path, user, uid, bytes, inodes }: BoundedDirectory,
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
          { key: 'Description', value: text(`Gate: directory of ${user}`) },
          { key: 'Before', value: text(`user@${uid}.service`) },
        ],
      },
      {
        name: 'Service',
        entries: [
          ...entries({ Type: 'oneshot', RemainAfterExit: 'yes' }),
          {
            key: 'ExecStart',
            value: command(programs.mount, '--types=tmpfs', `--options=${options}`, user, path),
            comment: 'the container writes there, and would fill the /run of the host',
          },
          // its owner, and what it has to hold
          {
            key: 'ExecStart',
            value: command(programs.systemd_tmpfiles, '--create', `--prefix=${path}`, `${prefix}.conf`),
          },
          {
            key: 'ExecStopPost',
            value: command(`-${programs.umount}`, '--lazy', path),
            comment: 'lazily: it goes even if a process of the account holds on to it',
          },
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
