import { devNull, networkOnline } from './base.ts'
import { type AnyCheck, anyCheck } from './check.ts'
import { apparmor } from './checks/apparmor.ts'
import { ca } from './checks/ca.ts'
import { cdi } from './checks/cdi.ts'
import { certificates } from './checks/certificates.ts'
import { cgroups } from './checks/cgroups.ts'
import { clock } from './checks/clock.ts'
import { agents, daemon } from './checks/daemon.ts'
import { database } from './checks/database.ts'
import { disk } from './checks/disk.ts'
import { dns } from './checks/dns.ts'
import { generation } from './checks/generation.ts'
import { gpuDevices } from './checks/gpu.ts'
import { https } from './checks/https.ts'
import { idMappers } from './checks/id-mappers.ts'
import { userNamespaces, virtualization } from './checks/kernel.ts'
import { models } from './checks/models.ts'
import { permissions } from './checks/permissions.ts'
import { planted } from './checks/planted.ts'
import { podman, programs } from './checks/podman.ts'
import { ports } from './checks/ports.ts'
import { relay } from './checks/relay.ts'
import { relays } from './checks/relays.ts'
import { spec } from './checks/spec.ts'
import { storage } from './checks/storage.ts'
import { tls } from './checks/tls.ts'
import { units } from './checks/units.ts'
import { upstreams } from './checks/upstreams.ts'
import { subids, userManagers, users } from './checks/users.ts'

/** Every check, from the ground up: what comes later depends on what comes earlier. */
export const CHECKS: readonly AnyCheck[] = [
  anyCheck(spec),
  anyCheck(virtualization),
  anyCheck(devNull),
  anyCheck(userNamespaces),
  anyCheck(cgroups),
  anyCheck(apparmor),
  anyCheck(clock),
  anyCheck(disk),
  anyCheck(dns),
  anyCheck(networkOnline),
  anyCheck(programs),
  anyCheck(podman),
  anyCheck(idMappers),
  anyCheck(users),
  anyCheck(subids),
  anyCheck(userManagers),
  anyCheck(planted),
  anyCheck(storage),
  anyCheck(gpuDevices),
  anyCheck(cdi),
  anyCheck(models),
  anyCheck(generation),
  anyCheck(ports),
  anyCheck(certificates),
  anyCheck(permissions),
  anyCheck(units),
  anyCheck(database),
  anyCheck(daemon),
  anyCheck(tls),
  anyCheck(https),
  anyCheck(relay),
  anyCheck(relays),
  anyCheck(ca),
  anyCheck(agents),
  anyCheck(upstreams),
]
