import { z } from 'zod'

/** A path of the host; unit files and nginx escape the rest. */
const path = z
  .string()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  .regex(/^\/[^\u0000-\u001f\u007f]*$/, 'expected an absolute path without control characters')
const at = (place: string, description: string) => path.default(place).meta({ description })

const group = z.string().regex(/^[a-z_][a-z0-9_-]{0,30}$/, 'expected the name of a group')

/**
 * Where a host has what the compiler's files name. Every key has the place of Debian, so a layout says only what
 * differs. @see docs/layout.md
 */
export const layoutSchema = z.strictObject({
  programs: z
    .strictObject({
      node: at('/usr/lib/gate/node', 'Node, which runs the daemon and the relays.'),
      daemon: at('/usr/lib/gate/dist/bin/gate-daemon.js', 'Script of the daemon.'),
      relay: at('/usr/lib/gate/dist/bin/gate-relay.js', 'Script of the relays.'),
      agent: at('/usr/bin/gate-agent', 'The agent in the account of each backend.'),
      gatectl: at('/usr/bin/gatectl', 'gatectl(1), which root runs for the internal CA.'),
      podman: at('/usr/bin/podman', 'podman(1).'),
      socket_proxy: at('/usr/lib/systemd/systemd-socket-proxyd', 'systemd-socket-proxyd(8), which wakes backends.'),
      nsenter: at('/usr/bin/nsenter', 'nsenter(1), with which a proxy enters the network of its container.'),
      systemctl: at('/usr/bin/systemctl', 'systemctl(1).'),
      dnsmasq: at('/usr/sbin/dnsmasq', 'dnsmasq(8).'),
      mount: at('/usr/bin/mount', 'mount(8).'),
      umount: at('/usr/bin/umount', 'umount(8).'),
      systemd_tmpfiles: at('/usr/bin/systemd-tmpfiles', 'systemd-tmpfiles(8).'),
      nft: at('/usr/sbin/nft', 'nft(8).'),
      shell: at('/bin/sh', 'A POSIX shell.'),
      kill: at('/bin/kill', 'kill(1).'),
      nologin: at('/usr/sbin/nologin', 'The shell of accounts without a login.'),
    })
    .prefault({}),
  directories: z
    .strictObject({
      units: at('/etc/systemd/system', "System units of the host's administrator."),
      linger: path.nullable().default('/var/lib/systemd/linger').meta({
        description: 'Accounts whose user managers run from boot on; `null` where the host keeps that list itself.',
      }),
    })
    .prefault({}),
  groups: z
    .strictObject({
      nginx: group.default('www-data').meta({ description: 'Group that nginx runs as.' }),
      caddy: group.default('caddy').meta({ description: 'Group that Caddy runs as.' }),
    })
    .prefault({})
    .meta({ description: 'Groups of proxies, which reach the gateway over a socket.' }),
  certificates: z
    .strictObject({
      directory: at('/etc/letsencrypt/live', 'A directory for each certificate, called like its first domain.'),
      certificate: z
        .string()
        .regex(/^[\w.-]+$/)
        .default('fullchain.pem')
        .meta({ description: 'The certificate in it, with its chain.' }),
      key: z
        .string()
        .regex(/^[\w.-]+$/)
        .default('privkey.pem')
        .meta({ description: 'The key in it.' }),
    })
    .prefault({})
    .meta({ description: "Certificates that the host gets by ACME for nginx; certbot's places." }),
  images: z
    .strictObject({
      fetch: path.meta({
        description: 'Program that gets an image; its arguments: podman, the image, then maybe an archive that has it.',
      }),
      search_path: z
        .array(path)
        .default([])
        .meta({ description: '`PATH` of containers, where podman finds newuidmap(1).' }),
    })
    .optional()
    .meta({ description: 'Units that get images before containers start. Absent: `gatectl apply` gets them.' }),
})

export type Layout = z.output<typeof layoutSchema>

/** Debian's. */
export const DEBIAN_LAYOUT: Layout = layoutSchema.parse({})
