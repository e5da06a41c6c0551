import { apparmor } from './apparmor.ts'
import { devNull, networkOnline } from './base.ts'
import { cdi } from './cdi.ts'
import { certificates } from './certificates.ts'
import { cgroups } from './cgroups.ts'
import { type AnyCheck, anyCheck } from './check.ts'
import { clock } from './clock.ts'
import { agents, daemon } from './daemon.ts'
import { disk } from './disk.ts'
import { dns } from './dns.ts'
import { generation } from './generation.ts'
import { gpuDevices } from './gpu.ts'
import { idMappers } from './id-mappers.ts'
import { userNamespaces, virtualization } from './kernel.ts'
import { permissions } from './permissions.ts'
import { podman, programs } from './podman.ts'
import { ports } from './ports.ts'
import { spec } from './spec.ts'
import { storage } from './storage.ts'
import { units } from './units.ts'
import { upstreams } from './upstreams.ts'
import { subids, userManagers, users } from './users.ts'

/** Every check, from the ground up: what stands further down depends on what stands above. */
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
  anyCheck(storage),
  anyCheck(gpuDevices),
  anyCheck(cdi),
  anyCheck(generation),
  anyCheck(ports),
  anyCheck(certificates),
  anyCheck(permissions),
  anyCheck(units),
  anyCheck(daemon),
  anyCheck(agents),
  anyCheck(upstreams),
]
