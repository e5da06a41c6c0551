import { configSchema } from '../../../schemas/config/config.ts'
import { DEBIAN_LAYOUT } from '../../../schemas/deploy/layout.ts'
import { printUnit } from '../../../syntax/unit/print.ts'
import { PROFILES } from '../../catalog/profiles.ts'
import { stateDirectories } from '../../ir/lower-gateway.ts'
import { gatewayNames } from '../../ir/names.ts'
import { sysusers, tmpfiles } from './accounts.ts'
import { type DaemonUnits, daemonUnits, tlsSocketUnits } from './daemon-units.ts'
import { memoryEntries } from './node-service.ts'

const COMMENT = ['Made by "npm run generate". Change it on a host with "systemctl edit", which writes a drop-in.']
const NEWEST_SYSTEMD = 257

/**
 * The files in systemd/, for hosts that install Gate without a spec: what the target `systemd` makes, with the daemon's
 * own defaults; the sockets for TLS are there to be enabled. @returns path below systemd/ -> text
 */
export function shippedFiles(): Record<string, string> {
  const names = gatewayNames(undefined)
  const daemon: DaemonUnits = {
    origin: [],
    comment: COMMENT,
    unit: names.daemonUnit,
    user: names.user,
    adminGroup: names.adminGroup,
    stateDirectory: names.stateDirectory,
    environmentFile: names.environmentFile,
    adminSocket: names.adminSocket,
    backendsDirectory: names.backendsDirectory,
    proxy: undefined,
    host: '127.0.0.1',
    port: 3000,
    tls: undefined,
    tlsDigest: undefined,
    maxConnections: configSchema.parse({}).server.max_connections,
    args: [],
    // without a spec the daemon's own limits hold, which are those of this profile
    extra: memoryEntries(PROFILES['medium-vps'].memoryBytes),
    after: [],
    systemd: NEWEST_SYSTEMD,
    layout: DEBIAN_LAYOUT,
  }
  const units = { ...daemonUnits(daemon), ...tlsSocketUnits(daemon, { host: undefined, httpsPort: 443, httpPort: 80 }) }
  const origin: string[] = []
  const user = {
    origin,
    name: names.user,
    uid: undefined,
    home: names.stateDirectory,
    groups: [],
    subuid: undefined,
    linger: false,
    limits: [],
    description: 'Gate',
  }
  const rootOwned = [names.runtimeDirectory, names.backendsDirectory, names.configDirectory].map((path) => ({
    origin,
    path,
    mode: 0o755,
    user: 'root',
    group: 'root',
  }))
  const directories = [...stateDirectories(names), ...rootOwned]
  const groups = [names.adminGroup, names.modelsGroup].map((name) => ({ origin, name }))
  const comment = ['Made by "npm run generate".']
  return {
    ...Object.fromEntries(Object.entries(units).map(([name, unit]) => [name, printUnit(unit).text])),
    'sysusers.d/gate.conf': sysusers([user], groups, DEBIAN_LAYOUT, comment).text,
    'tmpfiles.d/gate.conf': tmpfiles({ users: [], links: [], directories }, DEBIAN_LAYOUT, comment).text,
  }
}
