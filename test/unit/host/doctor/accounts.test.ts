import { expect, test } from 'vitest'
import { accountChanges, gidsOf, readAccounts } from '../../../../host/accounts.ts'
import { type CdiFacts, cdi, parseCdi } from '../../../../host/doctor/checks/cdi.ts'
import { type DeviceFacts, gpuDevices } from '../../../../host/doctor/checks/gpu.ts'
import { idMappers, type MapperFacts } from '../../../../host/doctor/checks/id-mappers.ts'
import { podman, programs } from '../../../../host/doctor/checks/podman.ts'
import { storage } from '../../../../host/doctor/checks/storage.ts'
import { type SubidFacts, subids, type UserFacts, userManagers, users } from '../../../../host/doctor/checks/users.ts'
import { pageOf } from './page.ts'

const PASSWD =
  'root:x:0:0:root:/root:/bin/bash\ngate-qwen:x:40001:40001:Gate:/var/lib/gate-backends/qwen:/usr/sbin/nologin\n'
const GROUP =
  'root:x:0:\ngate-admin:x:990:alice\ngate-people:x:991:gate-qwen\nrender:x:105:gate-qwen\nvideo:x:44:alice,gate-qwen\ngate-qwen:x:40001:\nkvm:x:106:\n'

/** The accounts that these files make. */
function accountsOf(files: Readonly<Record<string, string>>) {
  const view = {
    read: (path: string) => files[path],
    list: () => [],
    status: () => undefined,
    readUntrusted: () => undefined,
  }
  return readAccounts({ ...view, ask: async () => ({ code: 0, stdout: '', stderr: '' }) })
}
const ACCOUNTS = accountsOf({
  '/etc/passwd': PASSWD,
  '/etc/group': GROUP,
  '/etc/subuid': '# x\nalice:100000:65536\n\n40001:165536:65536\n',
})

test('reads accounts with all their groups, and subordinate ids', () => {
  const qwen = ACCOUNTS.users.get('gate-qwen')
  expect(qwen).toMatchObject({ uid: 40_001, shell: '/usr/sbin/nologin' })
  expect(qwen && gidsOf(qwen, ACCOUNTS)).toEqual([40_001, 991, 105, 44])
  expect(ACCOUNTS.subuids).toEqual([
    { owner: 'alice', start: 100_000, count: 65_536 },
    { owner: '40001', start: 165_536, count: 65_536 },
  ])
})

const QWEN = { name: 'gate-qwen', uid: 40_001, groups: ['render'] }
const NEW = { name: 'gate-new', uid: 40_002, groups: [] }
test.each<{ name: string; facts: Partial<UserFacts>; page: RegExp }>([
  { name: 'all well', facts: {}, page: /^ok gate-qwen: as they should be$/ },
  {
    name: 'absent',
    facts: { wanted: [{ ...QWEN, name: 'gate-x' }] },
    page: /^fail there is no user gate-x[\s\S]*\$ systemd-sysusers$/,
  },
  {
    name: 'another id',
    facts: { wanted: [{ ...QWEN, uid: 40_002 }] },
    page: /^fail gate-qwen has the id 40001 instead of 40002[\s\S]*usermod --uid 40002 gate-qwen$/,
  },
  {
    name: 'no member',
    facts: { wanted: [{ ...QWEN, groups: ['kvm'] }] },
    page: /^fail gate-qwen is not a member of the group kvm[\s\S]*\$ usermod --append --groups kvm gate-qwen$/,
  },
  {
    name: 'of no such group',
    facts: { wanted: [{ ...QWEN, groups: ['gate-models'] }] },
    page: /\$ groupadd --system gate-models && usermod --append --groups gate-models gate-qwen$/,
  },
  {
    name: 'E4 one that a changed spec adds, with the membership that comes with it',
    facts: {
      wanted: [{ ...QWEN, groups: ['render', 'gate-new'] }, NEW],
      applied: new Map([['gate-qwen', ['render']]]),
    },
    page: /^fail gate-new is not made yet\n.*the spec has changed since it was applied.*\n\s*\$ gatectl apply$/,
  },
  {
    name: 'E4 a membership that was applied and is gone is named beside it',
    facts: {
      wanted: [{ ...QWEN, groups: ['kvm'] }, NEW],
      applied: new Map([['gate-qwen', ['kvm']]]),
    },
    page: /^fail gate-new is not made yet[\s\S]*\nfail gate-qwen is not a member of the group kvm/,
  },
  {
    name: 'E4 one that was applied and is gone',
    facts: {
      wanted: [QWEN, NEW],
      applied: new Map([
        ['gate-new', []],
        ['gate-qwen', ['render']],
      ]),
    },
    page: /^fail there is no user gate-new/,
  },
  {
    name: 'one of the people',
    facts: { admins: 'gate-people' },
    page: /^fail gate-qwen is a member of the group gate-people[\s\S]*\$ gpasswd --delete gate-qwen gate-people$/,
  },
  {
    name: 'a login',
    facts: { wanted: [{ name: 'root', uid: 0, groups: [] }] },
    page: /^warn root has the login shell \/bin\/bash/,
  },
])('users: $name', ({ facts, page }) => {
  expect(
    pageOf(users, { wanted: [QWEN], accounts: ACCOUNTS, admins: 'gate-admin', applied: undefined, ...facts }),
  ).toMatch(page)
})

const RANGE = { name: 'gate-qwen', uid: 40_001, start: 536_870_912, count: 65_536 }
const LINE = { owner: 'gate-qwen', start: 536_870_912, count: 65_536 }
test.each<{ name: string; files: Partial<SubidFacts['files']>; others?: SubidFacts['others']; page: RegExp }>([
  { name: 'both', files: {}, page: /^ok gate-qwen have their own$/ },
  {
    name: 'by number, in a larger range',
    files: { subuid: [{ owner: '40001', start: 536_870_000, count: 100_000 }] },
    page: /^ok/,
  },
  {
    name: 'none',
    files: { subuid: [], subgid: [] },
    page: /^fail gate-qwen has no subordinate user and group ids[\s\S]*\$ usermod --add-subuids 536870912-536936447 --add-subgids 536870912-536936447 gate-qwen$/,
  },
  {
    name: 'groups only lack',
    files: { subgid: [] },
    page: /^fail gate-qwen has no subordinate group ids[\s\S]*\$ usermod --add-subgids 536870912-536936447 gate-qwen$/,
  },
  {
    name: 'too few',
    files: { subuid: [{ ...LINE, count: 1_000 }] },
    page: /^fail gate-qwen has no subordinate user ids/,
  },
  {
    name: 'shared',
    files: { subuid: [LINE, { owner: 'alice', start: 536_900_000, count: 10 }] },
    page: /^fail gate-qwen and alice share ids from 536900000 on in \/etc\/subuid[\s\S]*\/etc\/subuid$/,
  },
  {
    name: 'a machine of systemd-nspawn has the same',
    files: {},
    others: [
      { what: 'the user alice', id: 1_000 },
      { what: 'the machine web of systemd-nspawn', id: 536_870_912 },
    ],
    page: /^fail the machine web of systemd-nspawn has the id 536870912[\s\S]*another subuid for gate-qwen/,
  },
])('subids: $name', ({ files, others = [], page }) => {
  const both = { subuid: [LINE], subgid: [LINE], ...files }
  expect(pageOf(subids, { wanted: [RANGE], files: both, others })).toMatch(page)
})

const MANAGER = { user: 'gate-qwen', uid: 40_001, lingers: true, state: 'active' }
test.each([
  { name: 'running', manager: MANAGER, page: /^ok gate-qwen: running, and from boot on$/ },
  {
    name: 'no linger',
    manager: { ...MANAGER, lingers: false },
    page: /^fail gate-qwen does not linger[\s\S]*\$ loginctl enable-linger gate-qwen$/,
  },
  {
    name: 'failed',
    manager: { ...MANAGER, state: 'failed' },
    page: /^fail the manager of gate-qwen is failed[\s\S]*systemctl start user@40001.service$/,
  },
  { name: 'no systemd', manager: { ...MANAGER, state: '' }, page: /^fail cannot query the manager of gate-qwen/ },
])('user managers: $name', ({ manager, page }) => {
  expect(pageOf(userManagers, { managers: [manager] })).toMatch(page)
})

const MAPPER = { path: '/usr/bin/newuidmap', mode: 0o4755, uid: 0, capabilities: '' }
test.each<{ name: string; facts: Partial<MapperFacts>; page: RegExp }>([
  { name: 'setuid', facts: {}, page: /^ok/ },
  { name: 'capability', facts: { mappers: [{ ...MAPPER, mode: 0o755, capabilities: 'cap_setuid=ep' }] }, page: /^ok/ },
  {
    name: 'the wrong capability',
    facts: { mappers: [{ ...MAPPER, mode: 0o755, capabilities: 'cap_setgid=ep' }] },
    page: /^fail \/usr\/bin\/newuidmap has no privilege[\s\S]*chmod 4755 \/usr\/bin\/newuidmap$/,
  },
  { name: 'setuid of somebody else', facts: { mappers: [{ ...MAPPER, uid: 1000 }] }, page: /^fail/ },
  {
    name: 'absent',
    facts: { mappers: [{ ...MAPPER, mode: undefined }] },
    page: /^fail no \/usr\/bin\/newuidmap[\s\S]*apt-get install uidmap$/,
  },
  { name: 'nosuid', facts: { nosuid: true }, page: /^fail newuidmap is on a file system mounted nosuid/ },
])('newuidmap: $name', ({ facts, page }) => {
  expect(pageOf(idMappers, { mappers: [MAPPER], nosuid: false, ...facts })).toMatch(page)
})

test.each([
  { printed: 'podman version 5.4.2', page: /^ok podman version 5.4.2$/ },
  { printed: 'podman version 4.9.3', page: /^warn podman 4.9 has no drop-ins for quadlets/ },
  { printed: 'podman version 4.3.1', page: /^fail podman 4.3 is too old/ },
  { printed: 'Error: no database', page: /^fail podman does not report its version\n {2}Error: no database/ },
  { printed: undefined, page: /^fail no podman[\s\S]*apt-get install podman$/ },
])('podman: $printed', ({ printed, page }) => {
  expect(pageOf(podman, { printed, isRoot: true })).toMatch(page)
})

test('programs: one line for each that is missing, with its package', () => {
  expect(pageOf(programs, { missing: [] })).toMatch(/^ok/)
  expect(pageOf(programs, { missing: ['pasta', 'machinectl'] })).toBe(
    'fail no pasta\n  it connects rootless networks to the host\n  $ apt-get install passt\n' +
      'fail no machinectl\n  systemctl --user -M USER@.host needs what comes with it\n  $ apt-get install systemd-container',
  )
})

const STORE = { user: 'gate-qwen', path: '/home/x/.local/share/containers/storage', type: 0xef53 }
test.each([
  { name: 'ext4', facts: { stores: [STORE] }, page: /^ok/ },
  {
    name: 'overlay',
    facts: { stores: [{ ...STORE, type: 0x794c7630 }] },
    page: /^fail gate-qwen cannot store images in .*\n.*overlay[\s\S]*apt-get install fuse-overlayfs$/,
  },
  { name: 'NFS', facts: { stores: [{ ...STORE, type: 0x6969 }] }, page: /^fail.*\n.*NFS/ },
  { name: 'overlay with vfs', facts: { stores: [{ ...STORE, type: 0x794c7630 }], driver: 'vfs' }, page: /^ok/ },
  {
    name: 'overlay with fuse-overlayfs',
    facts: { stores: [{ ...STORE, type: 0x794c7630 }], hasFuseOverlayfs: true },
    page: /^ok/,
  },
])('storage: $name', ({ facts, page }) => {
  expect(pageOf(storage, { driver: '', hasFuseOverlayfs: false, ...facts })).toMatch(page)
})

const CDI_YAML = `---
cdiVersion: 0.5.0
kind: nvidia.com/gpu
devices:
  - name: "0"
    containerEdits:
      deviceNodes:
        - path: /dev/nvidia0
  - name: all
    containerEdits:
      deviceNodes:
        - path: /dev/nvidia0
containerEdits:
  deviceNodes:
    - path: /dev/nvidiactl
`
test('reads the CDI files of nvidia-ctk, in both of its formats', () => {
  const expected = { devices: ['0', 'all'], nodes: ['/dev/nvidia0', '/dev/nvidiactl'] }
  expect(parseCdi(CDI_YAML)).toEqual(expected)
  const json = {
    cdiVersion: '0.5.0',
    kind: 'nvidia.com/gpu',
    devices: [{ name: '0', containerEdits: { deviceNodes: [{ path: '/dev/nvidia0' }] } }, { name: 'all' }],
    containerEdits: { deviceNodes: [{ path: '/dev/nvidiactl' }] },
  }
  expect(parseCdi(JSON.stringify(json))).toEqual(expected)
  expect(parseCdi('kind: example.org/disk\ndevices:\n- name: "0"\n')).toEqual({ devices: [], nodes: [] })
})

const CDI_FILE = {
  path: '/etc/cdi/nvidia.yaml',
  directory: '/etc/cdi',
  isPublic: true,
  devices: ['0', 'all'],
  lostNodes: [] as string[],
}
test.each<{ name: string; facts: Partial<CdiFacts>; page: RegExp }>([
  { name: 'nobody wants one', facts: { wanted: [], files: [] }, page: /^ok no backend uses an NVIDIA GPU$/ },
  { name: 'there', facts: {}, page: /^ok \/etc\/cdi\/nvidia.yaml: 0, all$/ },
  {
    name: 'not made',
    facts: { files: [] },
    page: /^fail no CDI file of an NVIDIA GPU[\s\S]*nvidia-ctk cdi generate --output=\/etc\/cdi\/nvidia.yaml$/,
  },
  {
    name: 'closed',
    facts: { files: [{ ...CDI_FILE, isPublic: false, devices: [] }] },
    page: /^fail \/etc\/cdi\/nvidia.yaml is not readable by every user[\s\S]*chmod 0755 \/etc\/cdi && chmod 0644 \/etc\/cdi\/nvidia.yaml$/,
  },
  {
    name: 'elsewhere',
    facts: { files: [{ ...CDI_FILE, path: '/var/lib/cdi/n.yaml', directory: '/var/lib/cdi' }] },
    page: /^fail \/var\/lib\/cdi\/n.yaml is where podman does not search[\s\S]*\/etc\/cdi\/nvidia.yaml$/,
  },
  {
    name: 'without this GPU',
    facts: { wanted: ['1'] },
    page: /^fail no GPU 1 in \/etc\/cdi\/nvidia.yaml\n {2}there are: 0, all/,
  },
  {
    name: 'old',
    facts: { files: [{ ...CDI_FILE, lostNodes: ['/dev/nvidia1'] }] },
    page: /^warn \/etc\/cdi\/nvidia.yaml names \/dev\/nvidia1, which do not exist/,
  },
])('cdi: $name', ({ facts, page }) => {
  expect(pageOf(cdi, { wanted: ['all'], searched: ['/etc/cdi', '/var/run/cdi'], files: [CDI_FILE], ...facts })).toMatch(
    page,
  )
})

const RENDER = { path: '/dev/dri/renderD128', gid: 105, group: 'render', mode: 0o660 }
const DEVICES: DeviceFacts = {
  wanted: [{ user: 'gate-qwen', uid: 40_001, gpu: 'vulkan' }],
  nodes: [RENDER],
  accounts: ACCOUNTS,
  managerGids: new Map([[40_001, [40_001, 105]]]),
}
test.each<{ name: string; facts: Partial<DeviceFacts>; page: RegExp }>([
  { name: 'nobody wants one', facts: { wanted: [] }, page: /^ok no backend uses a GPU$/ },
  { name: 'all well', facts: {}, page: /^ok \/dev\/dri\/renderD128: present/ },
  { name: 'absent', facts: { nodes: [] }, page: /^fail no \/dev\/dri\/renderD128[\s\S]*modprobe/ },
  {
    name: 'not in the group',
    facts: { nodes: [{ ...RENDER, gid: 106, group: 'kvm' }] },
    page: /^fail gate-qwen is not in the group kvm[\s\S]*\$ usermod --append --groups kvm gate-qwen && systemctl restart user@40001.service$/,
  },
  {
    name: 'a manager from before',
    facts: { managerGids: new Map([[40_001, [40_001]]]) },
    page: /^fail the manager of gate-qwen does not know its groups[\s\S]*\$ systemctl restart user@40001.service$/,
  },
  {
    name: 'for root only',
    facts: { nodes: [{ ...RENDER, mode: 0o600 }] },
    page: /^fail \/dev\/dri\/renderD128 is for root only[\s\S]*chgrp render/,
  },
  {
    name: 'amd without kfd',
    facts: { wanted: [{ user: 'gate-qwen', uid: 40_001, gpu: 'amd' }] },
    page: /^fail no \/dev\/kfd[\s\S]*modprobe amdgpu$/,
  },
  {
    name: 'nvidia without devices',
    facts: { wanted: [{ user: 'gate-qwen', uid: 40_001, gpu: 'nvidia' }] },
    page: /^fail no \/dev\/nvidiactl, \/dev\/nvidia-uvm and \/dev\/nvidia0[\s\S]*nvidia-modprobe/,
  },
  { name: 'no such user', facts: { accounts: { ...ACCOUNTS, users: new Map() } }, page: /^skip/ },
])('gpu: $name', ({ facts, page }) => {
  expect(pageOf(gpuDevices, { ...DEVICES, ...facts })).toMatch(page)
})

test.each([
  { name: 'a group of an earlier generation', earlier: ['render', 'video'], leaves: ['video'] },
  { name: 'no group that the administrator gave it', earlier: ['render'], leaves: [] },
  { name: 'no group that it is no longer in', earlier: ['render', 'gone'], leaves: [] },
])('an apply takes from an account $name', ({ earlier, leaves }) => {
  const group = (name: string, gid: number) => [name, { name, gid, members: ['gate-qwen'] }] as const
  const there = {
    users: ACCOUNTS.users,
    groups: new Map([group('render', 105), group('video', 44)]),
    subuids: [],
    subgids: [],
    linger: new Set<string>(),
  }
  const wanted = { ...QWEN, home: '/', linger: false }
  const changes = accountChanges([wanted], there, [{ ...wanted, groups: earlier }])
  expect(changes.flatMap((change) => change.leaves)).toEqual(leaves)
})
