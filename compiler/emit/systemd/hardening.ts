import { type Entry, literal } from '../../../syntax/unit/print.ts'

/** What every system service of Gate gives up, but for the directives that a unit sets its own way. */
export function hardening(own: Readonly<Record<string, string>> = {}): Entry[] {
  return [...HARDENING.filter(({ key }) => !Object.hasOwn(own, key)), ...entries(own)]
}

const HARDENING: readonly Entry[] = [
  ...entries({
    UMask: '0077',
    LimitCORE: '0',
    NoNewPrivileges: 'yes',
    CapabilityBoundingSet: '',
    AmbientCapabilities: '',
    DevicePolicy: 'closed',
    KeyringMode: 'private',
    LockPersonality: 'yes',
  }),
  { key: 'MemoryDenyWriteExecute', value: literal('no'), comment: 'V8 compiles to memory that it then executes' },
  ...entries({
    PrivateDevices: 'yes',
    PrivateIPC: 'yes',
    PrivateMounts: 'yes',
    PrivateTmp: 'yes',
    PrivateUsers: 'yes',
    ProcSubset: 'pid',
    ProtectClock: 'yes',
    ProtectControlGroups: 'yes',
    ProtectHome: 'yes',
    ProtectHostname: 'yes',
    ProtectKernelLogs: 'yes',
    ProtectKernelModules: 'yes',
    ProtectKernelTunables: 'yes',
    ProtectProc: 'invisible',
    ProtectSystem: 'strict',
    RemoveIPC: 'yes',
    RestrictAddressFamilies: 'AF_UNIX AF_INET AF_INET6',
    RestrictNamespaces: 'yes',
    RestrictRealtime: 'yes',
    RestrictSUIDSGID: 'yes',
    SystemCallArchitectures: 'native',
    SystemCallErrorNumber: 'EPERM',
  }),
  { key: 'SystemCallFilter', value: literal('@system-service') },
  { key: 'SystemCallFilter', value: literal('~@privileged @resources') },
]

/** Directives whose values the compiler writes itself, in this order. */
export function entries(values: Readonly<Record<string, string>>): Entry[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: literal(value) }))
}
