import type { SpecPath } from '../../schemas/spec/path.ts'
import type { BackendSpec, Spec } from '../../schemas/spec/spec.ts'
import type { Finding } from '../diagnostic.ts'

/** Groups of backends of which one runs at a time, or several that fit side by side. */
export function checkGroups(spec: Spec): Finding[] {
  const backends = Object.entries(spec.backends)
  return [
    ...checkMembers(backends),
    ...backends.flatMap(([name, backend]) => checkAlone(backend, ['backends', name])),
    ...checkSharedGpus(backends),
    ...checkPreload(backends),
  ]
}

type Named = readonly (readonly [string, BackendSpec])[]

/** Groups and sets that change nothing. */
function checkMembers(backends: Named): Finding[] {
  const groups = Map.groupBy(
    backends.filter(([, { group }]) => group !== undefined),
    ([, { group }]) => group,
  )
  return [...groups].flatMap(([group, members]): Finding[] => {
    const [first, second] = members
    if (first === undefined) return []
    if (second === undefined) {
      const message = `the group "${group}" has only this member`
      return [{ code: 'EMPTY_GROUP', severity: 'warning', path: ['backends', first[0], 'group'], message }]
    }
    const { together } = first[1]
    if (together !== undefined && members.every(([, member]) => member.together === together)) {
      const message = `all members of the group "${group}" run together, so none ever makes room`
      const hint = 'leave group out, or add to it what they make room for'
      return [noEffect(['backends', first[0], 'together'], message, hint)]
    }
    const sets = Map.groupBy(members, ([, member]) => member.together)
    return [...sets].flatMap(([word, [one, other]]): Finding[] => {
      if (word === undefined || one === undefined || other !== undefined) return []
      const message = `no other backend of the group "${group}" has together = "${word}"`
      return [noEffect(['backends', one[0], 'together'], message, 'write the same word in each that fits beside it')]
    })
  })
}

/** What only means something among the members of a group. */
function checkAlone({ group, together, priority }: BackendSpec, path: SpecPath): Finding[] {
  if (group !== undefined) return []
  const key = together !== undefined ? 'together' : priority !== 0 ? 'priority' : undefined
  if (key === undefined) return []
  const message = `${key} has a meaning among the members of a group, and this backend is in none`
  return [noEffect([...path, key], message, 'write group as well, or remove it')]
}

/** A group gives way to its own members only. One finding per backend, and none where no group uses the device. */
function checkSharedGpus(backends: Named): Finding[] {
  const users = backends.flatMap(([name, { gpu, group }]) =>
    gpu.kind === 'none' ? [] : gpu.devices.map((device) => ({ name, group, device: `${gpu.kind} ${device}` })),
  )
  const groups = new Map(users.flatMap(({ group, device }) => (group === undefined ? [] : [[device, group] as const])))
  return users.flatMap(({ name, group, device }): Finding[] => {
    const other = groups.get(device)
    if (group !== undefined || other === undefined) return []
    const message = `"${name}" may run at the same time as the group "${other}" on one GPU`
    const hint = `write group = "${other}" as well, and the same together in those that fit side by side`
    return [{ code: 'SHARED_GPU', severity: 'warning', path: ['backends', name, 'gpu'], message, hint }]
  })
}

/** What starts with the host, and cannot. */
function checkPreload(backends: Named): Finding[] {
  const first = new Map<string, { readonly name: string; readonly together: string | undefined }>()
  return backends.flatMap(([name, { preload, group, together, idle_stop }]): Finding[] => {
    const path = ['backends', name, 'preload']
    if (!preload) return []
    if (group === undefined) return idle_stop === undefined ? [noEffect(path, 'it is always on', 'remove it')] : []
    const other = first.get(group)
    if (other === undefined) {
      first.set(group, { name, together })
      return []
    }
    if (together !== undefined && together === other.together) return []
    const message = `"${other.name}" is started first in the group "${group}" already`
    const hint = 'preload one backend of a group, or those that run together'
    return [{ code: 'INVALID_VALUE', path, message, hint }]
  })
}

function noEffect(path: SpecPath, message: string, hint: string): Finding {
  return { code: 'NO_EFFECT', severity: 'warning', path, message, hint }
}
