import type { Layout } from '../../schemas/deploy/layout.ts'

/**
 * Decides every name and path on a host but those of its layout; nothing else in the compiler spells one out.
 * @see docs/layout.md
 */

/** Names of one gateway. @param instance `gate.instance`; absent for the only one */
export function gatewayNames(instance: string | undefined) {
  const prefix = instance === undefined ? 'gate' : `gate-${instance}`
  return {
    prefix,
    user: prefix,
    daemonUnit: `${prefix}-daemon`,
    /** Template: one unit per instance, `<relayUnit>@<instance>`. */
    relayUnit: `${prefix}-relay`,
    /** Makes the secrets that the deployment needs but no user wrote. */
    secretsUnit: `${prefix}-secrets.service`,
    adminGroup: `${prefix}-admin`,
    /** May read the models; not `gate` itself, whose members reach every backend. */
    modelsGroup: `${prefix}-models`,
    stateDirectory: `/var/lib/${prefix}`,
    modelsDirectory: `/var/lib/${prefix}/models`,
    runtimeDirectory: `/run/${prefix}`,
    adminSocket: `/run/${prefix}/admin.sock`,
    /** Where the proxy of this host reaches the gateway. */
    proxySocket: `/run/${prefix}/proxy.sock`,
    backendsDirectory: `/run/${prefix}/backends`,
    /** Of the sockets over which admins open shells. */
    shellsDirectory: `/run/${prefix}/shells`,
    secretsDirectory: `/run/${prefix}/secrets`,
    clientDirectory: `/etc/${prefix}/client`,
    /** certbot's --webroot for this gateway. */
    challengeDirectory: `/var/lib/${prefix}-acme`,
    dnsConfig: `/etc/${prefix}/dnsmasq.conf`,
    dnsUnit: `${prefix}-dns.service`,
    firewallRules: `/etc/${prefix}/firewall.nft`,
    firewallUnit: `${prefix}-firewall.service`,
    /** What the daemon may connect to. */
    egressRules: `/etc/${prefix}/egress.nft`,
    egressUnit: `${prefix}-egress.service`,
    nginxConfig: `/etc/nginx/conf.d/${prefix}.conf`,
    /** What nginx and nftables let a name begin with. */
    symbol: prefix.replaceAll('-', '_'),
    /** Makes what the internal CA owes to the deployment, at boot and at apply. */
    caUnit: `${prefix}-ca.service`,
    /** Does the same each day; `.service` and `.timer`. */
    caRenewUnit: `${prefix}-ca-renew`,
    /** What the deployment asks of the CA. */
    caRequest: `/etc/${prefix}/ca.json`,
    /** Of the root and its key; root's alone. */
    caDirectory: `/var/lib/${prefix}-deploy/ca`,
    /** What the CA made, for everyone and for the proxy. */
    certificatesDirectory: `/var/lib/${prefix}-ca`,
    /** Of the daemon's certificates. */
    tlsDirectory: `/var/lib/${prefix}/tls`,
    /** Of the CA that the daemon signs with. */
    issuerDirectory: `/var/lib/${prefix}/tls/ca`,
    /** Made once and kept; root's alone. */
    generatedDirectory: `/var/lib/${prefix}-deploy/secrets`,
    configDirectory: `/etc/${prefix}`,
    declaredConfig: `/etc/${prefix}/declared.json`,
    environmentFile: `/etc/${prefix}/gate.env`,
  } as const
}

export type GatewayNames = ReturnType<typeof gatewayNames>

/** Names of one backend; unit, container and user share one. */
export function backendNames(gateway: GatewayNames, backend: string) {
  const unit = `${gateway.prefix}-${backend}`
  const directory = `${gateway.backendsDirectory}/${backend}`
  return {
    user: unit,
    unit,
    containerService: `${unit}.service`,
    proxyService: `${unit}-proxy.service`,
    proxySocket: `${unit}.socket`,
    /** Root-owned, so that what the container's user writes can never come before our units. */
    home: `/var/lib/${gateway.prefix}-backends/${backend}`,
    directory,
    /** Makes that directory; its user's manager needs it. */
    directoryUnit: `${unit}-directory.service`,
    /** What the container sees of it: only its own socket, never the agent's. */
    containerDirectory: `${directory}/container`,
    /** Where callers connect. */
    engineSocket: `${directory}/engine.sock`,
    /** Where the engine itself listens. */
    innerSocket: `${directory}/container/engine.sock`,
    agentSocket: `${directory}/agent.sock`,
    /** Not in `directory`, which is the gateway's: only the group of admins gets through this one. */
    shellDirectory: `${gateway.shellsDirectory}/${backend}`,
    shellSocket: `${gateway.shellsDirectory}/${backend}/shell.sock`,
    secretsDirectory: `${gateway.secretsDirectory}/${backend}`,
    environmentFile: `${gateway.secretsDirectory}/${backend}/environment`,
    secretsUnit: `${unit}-secrets.service`,
    /** Below the runtime directory of its user: whose namespaces the proxy enters. */
    pidFile: `${unit}.pid`,
    /** Of the files that the spec itself holds; root's, and readable by all. */
    configDirectory: `${gateway.configDirectory}/backends/${backend}`,
  } as const
}

/** Inside a container. */
export const INSIDE = {
  socketDirectory: '/run/engine',
  socket: '/run/engine/engine.sock',
  modelsDirectory: '/models',
  cacheDirectory: '/cache',
  presets: '/presets.ini',
  uid: 1000,
  gid: 1000,
} as const

export const AGENT = {
  socket: 'gate-agent.socket',
  /** Template: one instance for each connection. */
  service: 'gate-agent@.service',
  shellSocket: 'gate-shell.socket',
  /** Template, as well. */
  shellService: 'gate-shell@.service',
} as const

export const CADDY = {
  config: '/etc/caddy/Caddyfile',
  dropIn: 'caddy.service.d/50-gate.conf',
  /** Name below /run of a directory that is Caddy's alone: any caller of its API can read every key that it has. */
  runtimeDirectory: 'caddy',
  adminSocket: '/run/caddy/admin.sock',
  /** Where Debian's user caddy keeps certificates of ACME. */
  certificates: '/var/lib/caddy/.local/share/caddy/certificates',
} as const

/** Files of a client's installer, as clients ask for them. */
export const CLIENT = { installer: 'install-client.sh', checksum: 'install-client.sh.sha256', ca: 'ca.crt' } as const

/** What the internal CA makes: for everyone, and for the proxy. */
export const authorityFiles = ({ certificatesDirectory }: Pick<GatewayNames, 'certificatesDirectory'>) => ({
  trusted: `${certificatesDirectory}/ca.crt`,
  cert: `${certificatesDirectory}/proxy.crt`,
  key: `${certificatesDirectory}/proxy.key`,
})

/** Where the host has a certificate of ACME and its key. @param domain its first */
export function certificateFiles({ directory, certificate, key }: Layout['certificates'], domain: string) {
  return { cert: `${directory}/${domain}/${certificate}`, key: `${directory}/${domain}/${key}` }
}

/** Quadlet's own name of what `<unit>.network` and `<unit>.volume` make; podman-systemd.unit(5). */
export const podmanName = (unit: string) => `systemd-${unit}`

/** Where quadlets of a user are read: root-owned, read by that user's manager. */
export const quadletDirectory = (uid: number) => `/etc/containers/systemd/users/${uid}`

/** Of a user's manager, below the directory of units. It names a unit that apply makes in the same step. */
export const directoryDropIn = (uid: number) => `user@${uid}.service.d/60-gate-directory.conf`

/** Where plain units of a user are read; systemd.unit(5) "Unit File Load Path". */
export const userUnitDirectory = (home: string) => `${home}/.config/systemd/user`

/**
 * The home of a backend's account, each directory after the one above it. Root's is everything that programs read there
 * on their own: units and their drop-ins, the environment, D-Bus services, configuration of containers. Only what podman
 * writes is the account's.
 */
export const homeDirectories = (home: string) => ({
  root: ['', '/.config', '/.config/systemd', '/.local', '/.local/share'].map((inner) => `${home}${inner}`),
  account: ['/.cache', '/.local/share/containers'].map((inner) => `${home}${inner}`),
})

/** Names on macOS, where software that is not part of the system lives in /usr/local. */
export function launchdNames(prefix: string) {
  const label = `${prefix}-daemon`
  return {
    label,
    directory: '/Library/LaunchDaemons',
    program: '/usr/local/bin/gate-daemon',
    /** Users of services begin with "_" there. */
    user: `_${prefix}`,
    stateDirectory: `/usr/local/var/${prefix}`,
    secretsDirectory: `/usr/local/etc/${prefix}/secrets`,
    declaredConfig: `/usr/local/etc/${prefix}/declared.json`,
    log: `/usr/local/var/log/${label}.log`,
  } as const
}
