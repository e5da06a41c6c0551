import { type AnyCheck, anyCheck, type Subject } from './check.ts'
import { cdi } from './checks/cdi.ts'
import { cgroups } from './checks/cgroups.ts'
import { gpuDevices } from './checks/gpu.ts'
import { idMappers } from './checks/id-mappers.ts'
import { userNamespaces, virtualization } from './checks/kernel.ts'
import { type CheckedFinding, examine } from './doctor.ts'

/** What apply does not make itself, and what its containers do not start without. */
const CHECKS: readonly AnyCheck[] = [userNamespaces, cgroups, idMappers, gpuDevices, cdi].map((check) =>
  // each has facts of its own
  anyCheck(check as never),
)

/**
 * What is wrong with a host before a spec is applied to it: kernel settings, cgroups, GPU devices. None of it forbids
 * an apply, for a driver may be loaded later. With it comes what kind of machine this is, since that decides where it
 * is mended.
 */
export async function findingsBeforeApply(subject: Subject): Promise<readonly CheckedFinding[]> {
  const { deployment } = subject
  if (deployment === undefined || deployment.containers.length === 0) return []
  // accounts that are there are looked at by the doctor: an apply may be about to mend them
  const host = { ...subject, deployment: { ...deployment, users: [] } }
  const { findings } = await examine(CHECKS, host)
  const bad = findings.filter(({ status }) => status === 'fail' || status === 'warn')
  if (bad.length === 0) return []
  const machine = await examine([anyCheck(virtualization)], host)
  return [...machine.findings, ...bad]
}
