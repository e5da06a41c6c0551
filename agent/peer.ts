import { readFileSync } from 'node:fs'

/**
 * The user id of the peer, from the instance name that systemd gives a service with Accept=yes on a Unix
 * socket: `<count>-<pid>-<uid>`, the last two from SO_PEERCRED, so from the kernel. What the kernel does not tell
 * (a peer in a pid namespace that systemd cannot see) reads `<count>-unknown`.
 * @returns undefined when there is none
 * @see systemd.socket(5) "Accept=", instance_from_socket() in systemd's src/core/socket.c
 */
export function peerUid(instance: string): number | undefined {
  const uid = /^\d+(?:-\d+)?-\d+-(\d{1,10})$/.exec(instance)?.[1]
  return uid === undefined ? undefined : Number(uid)
}

/**
 * The id of a local account. Accounts of services are local, so this needs no name service.
 * @param passwd text of passwd(5)
 * @returns undefined when there is no such account
 */
export function uidOf(account: string, passwd: string): number | undefined {
  const fields = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === account)
  const uid = fields?.[2]
  return uid !== undefined && /^\d{1,10}$/.test(uid) ? Number(uid) : undefined
}

/** Whether this peer may give orders: root, or the account that the gateway runs as. */
export function isTrustedPeer(uid: number, gatewayAccount: string): boolean {
  return uid === 0 || uid === uidOf(gatewayAccount, readFileSync('/etc/passwd', 'utf8'))
}
