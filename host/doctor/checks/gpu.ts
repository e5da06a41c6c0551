import { sh } from '../../../syntax/shell/print.ts'
import { type Accounts, gidsOf } from '../../accounts.ts'
import type { Check } from '../check.ts'
import { command, type Finding, fail, listed, ok, skip } from '../finding.ts'
import { namesIn, outputOf, readHostAccounts, statPath, textOf } from '../look.ts'

export type DeviceFacts = {
  /** Devices of each kind that the backends want; none: no check. */
  readonly wanted: readonly { readonly user: string; readonly gpu: 'nvidia' | 'amd' | 'vulkan'; readonly uid: number }[]
  readonly nodes: readonly {
    readonly path: string
    readonly gid: number
    readonly group: string
    readonly mode: number
  }[]
  readonly accounts: Pick<Accounts, 'users' | 'groups'>
  /** uid -> groups of its running user manager, as the kernel knows them. */
  readonly managerGids: ReadonlyMap<number, readonly number[]>
}

const NVIDIA_NODES = ['/dev/nvidiactl', '/dev/nvidia-uvm']

export const gpuDevices: Check<DeviceFacts> = {
  name: 'gpu',
  summary: 'whether the GPU devices are there and the backend users, and their running managers, may open them',
  async observe({ deployment }, signal) {
    const wanted = (deployment?.containers ?? []).flatMap(({ user, gpu, uid }) =>
      gpu === 'none' ? [] : [{ user, gpu, uid }],
    )
    const accounts = readHostAccounts()
    const names = new Map([...accounts.groups.values()].map(({ name, gid }) => [gid, name]))
    const dev = (await namesIn('/dev'))
      .filter((name) => /^nvidia(?:ctl|-uvm|\d+)$|^kfd$/.test(name))
      .map((name) => `/dev/${name}`)
    const dri = (await namesIn('/dev/dri'))
      .filter((name) => /^(?:renderD|card)\d+$/.test(name))
      .map((name) => `/dev/dri/${name}`)
    const nodes = await Promise.all([...dev, ...dri].map(async (path) => ({ path, seen: await statPath(path) })))
    const managers = wanted.map(async ({ uid }) => [uid, await managerGroups(uid, signal)] as const)
    return {
      wanted,
      nodes: nodes.flatMap(({ path, seen }) =>
        seen.kind === 'seen'
          ? [
              {
                path,
                gid: seen.value.gid,
                group: names.get(seen.value.gid) ?? String(seen.value.gid),
                mode: seen.value.mode & 0o777,
              },
            ]
          : [],
      ),
      accounts,
      managerGids: new Map(
        (await Promise.all(managers)).flatMap(([uid, gids]) => (gids === undefined ? [] : [[uid, gids]])),
      ),
    }
  },
  judge(facts) {
    if (facts.wanted.length === 0) return [ok('no backend uses a GPU')]
    const kinds = new Set(facts.wanted.map(({ gpu }) => gpu))
    const findings = [...kinds].flatMap((kind) => absentNodes(kind, facts.nodes))
    findings.push(...facts.wanted.flatMap((wanted) => closedNodes(wanted, facts)))
    return findings.length > 0
      ? findings
      : [ok(`${listed(facts.nodes.map(({ path }) => path))}: present, and open to the backends`)]
  },
}

function absentNodes(kind: DeviceFacts['wanted'][number]['gpu'], nodes: DeviceFacts['nodes']): Finding[] {
  const has = (path: string) => nodes.some((node) => node.path === path)
  if (kind === 'nvidia') {
    const lost = [
      ...NVIDIA_NODES.filter((path) => !has(path)),
      ...(nodes.some(({ path }) => /nvidia\d+$/.test(path)) ? [] : ['/dev/nvidia0']),
    ]
    return lost.length === 0
      ? []
      : [
          fail(
            `no ${listed(lost)}`,
            'the driver is not loaded, or has not made its device files',
            command(sh`modprobe nvidia && nvidia-modprobe -u -c=0`),
          ),
        ]
  }
  const lost = [
    ...(kind === 'amd' && !has('/dev/kfd') ? ['/dev/kfd'] : []),
    ...(nodes.some(({ path }) => path.includes('renderD')) ? [] : ['/dev/dri/renderD128']),
  ]
  if (lost.length === 0) return []
  return [
    fail(
      `no ${listed(lost)}`,
      'the driver of the GPU is not loaded, or this container was given no device',
      command(kind === 'amd' ? sh`modprobe amdgpu` : sh`modprobe amdgpu || modprobe i915`),
    ),
  ]
}

function closedNodes(
  { user, gpu, uid }: DeviceFacts['wanted'][number],
  { nodes, accounts, managerGids }: DeviceFacts,
): Finding[] {
  const account = accounts.users.get(user)
  if (account === undefined) return [skip(`the devices of ${user}`, 'there is no such user')]
  const gids = gidsOf(account, accounts)
  const own = nodes.filter(({ path }) =>
    gpu === 'nvidia' ? path.includes('nvidia') : gpu === 'amd' ? /kfd|renderD/.test(path) : path.includes('renderD'),
  )
  const groups = new Map<string, { gid: number; paths: string[] }>()
  const findings: Finding[] = []
  for (const { path, mode, gid, group } of own) {
    if ((mode & 0o006) === 0o006) continue
    if ((mode & 0o060) !== 0o060 || gid === 0) {
      findings.push(
        fail(
          `${path} is for root only (mode ${mode.toString(8)})`,
          `${user} cannot open it`,
          command(gpu === 'nvidia' ? sh`chmod 0666 ${path}` : sh`chgrp render ${path} && chmod 0660 ${path}`),
        ),
      )
      continue
    }
    const entry = groups.get(group) ?? { gid, paths: [] }
    entry.paths.push(path)
    groups.set(group, entry)
  }
  const outside = [...groups].filter(([, { gid }]) => !gids.includes(gid))
  for (const [group, { paths }] of outside) {
    const join = sh`usermod --append --groups ${group} ${user} && systemctl restart user@${uid}.service`
    findings.push(fail(`${user} is not in the group ${group}`, `it cannot open ${listed(paths)}`, command(join)))
  }
  const running = managerGids.get(uid)
  const cached = [...groups].filter(
    ([, { gid }]) => gids.includes(gid) && running !== undefined && !running.includes(gid),
  )
  if (cached.length > 0) {
    const why = `its manager runs since before it became a member of ${listed(cached.map(([group]) => group))}, and containers get the manager's groups`
    findings.push(
      fail(`the manager of ${user} does not know its groups`, why, command(sh`systemctl restart user@${uid}.service`)),
    )
  }
  return findings
}

/** @see proc_pid_status(5) */
async function managerGroups(uid: number, signal: AbortSignal): Promise<readonly number[] | undefined> {
  const pid = (
    await outputOf(['systemctl', 'show', '--value', '--property=MainPID', `user@${uid}.service`], signal)
  ).trim()
  if (pid === '' || pid === '0') return undefined
  const status = await textOf(`/proc/${pid}/status`)
  const groups = /^Groups:(.*)$/m.exec(status)?.[1]
  const own = /^Gid:\s+(\d+)/m.exec(status)?.[1]
  return groups === undefined
    ? undefined
    : [...groups.trim().split(/\s+/), own ?? ''].filter((gid) => gid !== '').map(Number)
}
