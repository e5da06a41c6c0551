import type { Account } from './accounts.ts'

/** The command line that runs a program as a user, with what its own manager and rootless podman need. */
export function asUser({ name, uid, gid, home }: Account, command: readonly string[]): string[] {
  return [
    'setpriv',
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--init-groups',
    '--pdeathsig=TERM', // it has no terminal whose Ctrl-C would end it with gatectl
    'env',
    '-i',
    `HOME=${home}`,
    `USER=${name}`,
    `LOGNAME=${name}`,
    'LC_ALL=C.UTF-8',
    'PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
    `XDG_CONFIG_HOME=${home}/.config`, // podman refuses one of root that is not named
    `XDG_RUNTIME_DIR=/run/user/${uid}`,
    `DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/${uid}/bus`,
    ...command,
  ]
}

/** A request to a user's manager. */
export function userctl(account: Account, ...args: readonly string[]): string[] {
  return asUser(account, ['systemctl', '--user', ...args])
}
