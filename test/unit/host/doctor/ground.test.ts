import { expect, test } from 'vitest'
import { devNull, type NullFacts, networkOnline } from '../../../../host/doctor/base.ts'
import { apparmor, type DenialFacts } from '../../../../host/doctor/checks/apparmor.ts'
import { type CgroupFacts, cgroups } from '../../../../host/doctor/checks/cgroups.ts'
import { type ClockFacts, clock } from '../../../../host/doctor/checks/clock.ts'
import { type DiskFacts, disk } from '../../../../host/doctor/checks/disk.ts'
import { type DnsFacts, dns, parseResolvConf } from '../../../../host/doctor/checks/dns.ts'
import {
  type NamespaceFacts,
  parseIdMap,
  userNamespaces,
  virtualization,
} from '../../../../host/doctor/checks/kernel.ts'
import { pageOf } from './page.ts'

test.each([
  {
    name: 'nothing',
    facts: { container: 'none', machine: 'none' },
    page: 'ok no virtual machine or container was recognised',
  },
  { name: 'a virtual machine', facts: { container: 'none', machine: 'kvm' }, page: 'ok a virtual machine (kvm)' },
  {
    name: 'a container',
    facts: { container: 'lxc', machine: 'kvm' },
    page: 'ok a container (lxc): kernel settings, the clock and devices are those of its host',
  },
])('machine: $name', ({ facts, page }) => {
  expect(pageOf(virtualization, facts)).toBe(page)
})

const NAMESPACES: NamespaceFacts = {
  works: true,
  problem: '',
  container: 'none',
  unprivilegedClone: 1,
  mostNamespaces: 96_000,
  apparmorRestricts: 0,
  idsHere: [{ start: 0, count: 4_294_967_295 }],
  idsNeeded: [{ user: 'gate-qwen', start: 536_870_912, count: 65_536 }],
}
test.each<{ name: string; facts: Partial<NamespaceFacts>; page: RegExp }>([
  { name: 'they work', facts: {}, page: /^ok ordinary users can make user namespaces$/ },
  {
    name: 'old Debian setting',
    facts: { unprivilegedClone: 0, works: false },
    page: /^fail only root can make user namespaces[\s\S]*sysctl --write kernel.unprivileged_userns_clone=1$/,
  },
  {
    name: 'none allowed',
    facts: { mostNamespaces: 0 },
    page: /^fail no user namespaces are allowed[\s\S]*user.max_user_namespaces=15000/,
  },
  {
    name: 'LXC without nesting',
    facts: { works: false, container: 'lxc', problem: 'unshare failed' },
    page: /^fail no user namespaces in this container \(lxc\)[\s\S]*unshare failed[\s\S]*security.nesting true/,
  },
  {
    name: 'AppArmor refuses',
    facts: { works: false, apparmorRestricts: 1 },
    page: /^fail AppArmor refuses user namespaces[\s\S]*apparmor_restrict_unprivileged_userns=0/,
  },
  {
    name: 'AppArmor by profile',
    facts: { apparmorRestricts: 1 },
    page: /^warn AppArmor lets only programs with a profile/,
  },
  {
    name: 'unknown reason',
    facts: { works: false, problem: 'Operation not permitted' },
    page: /^fail no user namespace can be made\n.*Operation not permitted/,
  },
  { name: 'cannot be tried', facts: { works: undefined }, page: /^warn user namespaces could not be tried/ },
  {
    name: 'ids that are not mapped',
    facts: { container: 'lxc', idsHere: [{ start: 0, count: 65_536 }] },
    page: /fail this container has no ids 536870912-536936447, which gate-qwen needs[\s\S]*lxc.idmap/,
  },
])('user namespaces: $name', ({ facts, page }) => {
  expect(pageOf(userNamespaces, { ...NAMESPACES, ...facts })).toMatch(page)
})

test('reads an id map', () => {
  expect(parseIdMap('         0     100000      65536\n     70000     300000         10\n')).toEqual([
    { start: 0, count: 65_536 },
    { start: 70_000, count: 10 },
  ])
})

const ALL = ['cpu', 'cpuset', 'io', 'memory', 'pids']
const QWEN = { user: 'gate-qwen', uid: 40_001 }
test.each<{ name: string; facts: CgroupFacts; page: RegExp }>([
  {
    name: 'delegated',
    facts: { isVersion2: true, atRoot: ALL, users: [{ ...QWEN, controllers: ALL }] },
    page: /^ok version 2, delegated/,
  },
  { name: 'version 1', facts: { isVersion2: false, atRoot: [], users: [] }, page: /^fail cgroups are of version 1/ },
  {
    name: 'no memory',
    facts: { isVersion2: true, atRoot: ['cpu', 'pids'], users: [] },
    page: /^fail the kernel gives no cgroup controller memory/,
  },
  {
    name: 'no cpuset for the user',
    facts: { isVersion2: true, atRoot: ALL, users: [{ ...QWEN, controllers: ['cpu', 'memory', 'pids'] }] },
    page: /^warn gate-qwen may not use the cgroup controller cpuset and io[\s\S]*Delegate=cpu cpuset io memory pids[\s\S]*user@40001.service$/,
  },
  {
    name: 'no memory for the user',
    facts: { isVersion2: true, atRoot: ALL, users: [{ ...QWEN, controllers: ['pids'] }] },
    page: /^fail gate-qwen may not use the cgroup controller cpu, memory, cpuset and io/,
  },
])('cgroups: $name', ({ facts, page }) => {
  expect(pageOf(cgroups, facts)).toMatch(page)
})

const DENIED =
  'audit: type=1400 audit(1): apparmor="DENIED" operation="open" class="file" profile="/usr/bin/passt" name="/srv/x" pid=7 comm="passt.avx2" requested_mask="r"'
test.each<{ name: string; facts: DenialFacts; page: RegExp }>([
  { name: 'nothing', facts: { denials: [] }, page: /^ok/ },
  {
    name: 'of others',
    facts: { denials: ['apparmor="DENIED" operation="open" profile="snap.x" name="/a" comm="x"'] },
    page: /^ok/,
  },
  {
    name: 'passt twice',
    facts: { denials: [DENIED, DENIED] },
    page: /^warn AppArmor denied something to \/usr\/bin\/passt 2 times\n {2}open \/srv\/x\n {2}\$ .*aa-complain \/etc\/apparmor.d\/usr.bin.passt$/,
  },
  { name: 'not readable', facts: { denials: undefined }, page: /^skip the kernel's messages cannot be read/ },
])('apparmor: $name', ({ facts, page }) => {
  expect(pageOf(apparmor, facts)).toMatch(page)
})

const NULL: NullFacts = { isDevice: true, mode: 0o666, major: 1, minor: 3 }
test.each<{ name: string; facts: NullFacts | undefined; page: RegExp }>([
  { name: 'as it should be', facts: NULL, page: /^ok/ },
  { name: 'absent', facts: undefined, page: /^fail there is no \/dev\/null[\s\S]*mknod -m 0666 \/dev\/null c 1 3$/ },
  { name: 'a file', facts: { ...NULL, isDevice: false }, page: /^fail \/dev\/null is not the device/ },
  { name: 'another device', facts: { ...NULL, minor: 5 }, page: /^fail \/dev\/null is not the device/ },
  {
    name: 'closed',
    facts: { ...NULL, mode: 0o600 },
    page: /^fail \/dev\/null has mode 600[\s\S]*chmod 0666 \/dev\/null$/,
  },
])('/dev/null: $name', ({ facts, page }) => {
  expect(pageOf(devNull, facts)).toMatch(page)
})

test.each([
  { state: 'active', page: /^ok/ },
  {
    state: 'inactive',
    page: /^fail network-online.target is inactive[\s\S]*systemctl add-wants multi-user.target network-online.target/,
  },
  { state: '', page: /^skip/ },
])('network-online: "$state"', ({ state, page }) => {
  expect(pageOf(networkOnline, { state })).toMatch(page)
})

const NOW = Date.parse('2026-11-20T12:00:00Z')
const CLOCK: ClockFacts = {
  nowMs: NOW,
  isSynchronised: true,
  hasService: true,
  offsetMs: undefined,
  earliest: [{ path: '/etc/machine-id', timeMs: NOW - 1_000_000 }],
  isContainer: false,
}
test.each<{ name: string; facts: Partial<ClockFacts>; page: RegExp }>([
  { name: 'synchronised', facts: {}, page: /^ok the clock is synchronised$/ },
  { name: 'a little off', facts: { offsetMs: 1_500 }, page: /^ok/ },
  { name: 'off', facts: { offsetMs: -90_000 }, page: /^fail the clock is off by 1 minute[\s\S]*chronyc makestep$/ },
  {
    name: 'behind a file',
    facts: { earliest: [{ path: '/a', timeMs: NOW + 3 * 86_400_000 }] },
    page: /^fail the clock is at least 3 days slow\n.*\/a was written \(2026-11-23/,
  },
  { name: 'not yet', facts: { isSynchronised: false }, page: /^warn the clock is not synchronised yet/ },
  {
    name: 'by nobody',
    facts: { isSynchronised: false, hasService: false },
    page: /^warn nothing synchronises the clock[\s\S]*systemd-timesyncd/,
  },
  {
    name: 'in a container',
    facts: { isSynchronised: false, isContainer: true },
    page: /^warn the clock is not synchronised[\s\S]*the host of this container/,
  },
  { name: 'unknown', facts: { isSynchronised: undefined }, page: /^skip/ },
])('clock: $name', ({ facts, page }) => {
  expect(pageOf(clock, { ...CLOCK, ...facts })).toMatch(page)
})

const GIB = 2 ** 30
const PLACE: DiskFacts['places'][number] = {
  purpose: 'images',
  path: '/var/lib/gate-backends/qwen',
  user: 'gate-qwen',
  freeBytes: 50 * GIB,
  totalBytes: 200 * GIB,
  freeInodes: 900,
  totalInodes: 1_000,
}
test.each<{ name: string; place: Partial<typeof PLACE>; page: RegExp }>([
  { name: 'enough', place: {}, page: /^ok .*50.0 GiB free$/ },
  {
    name: 'little for images',
    place: { freeBytes: 3 * GIB },
    page: /^warn 3.0 GiB of 200.0 GiB are free[\s\S]*runuser -u gate-qwen -- podman image prune/,
  },
  { name: 'nothing for images', place: { freeBytes: 5 * 2 ** 20 }, page: /^fail 5 MiB of/ },
  {
    name: 'little for state',
    place: { purpose: 'state', freeBytes: 2 ** 28 },
    page: /^warn 256 MiB[\s\S]*refuses requests/,
  },
  { name: 'nothing for state', place: { purpose: 'state', freeBytes: 0 }, page: /^fail 0 MiB/ },
  {
    name: 'a small disk, half empty',
    place: { purpose: 'state', freeBytes: 2 ** 28, totalBytes: 2 ** 28 + 1 },
    page: /^ok/,
  },
  { name: 'enough in /run', place: { purpose: 'run', path: '/run', freeBytes: 32 * 2 ** 20 }, page: /^ok/ },
  {
    name: 'little in /run, however small it is',
    place: { purpose: 'run', path: '/run', freeBytes: 31 * 2 ** 20, totalBytes: 40 * 2 ** 20 },
    page: /^warn 31 MiB of 40 MiB are free in \/run[\s\S]*du --one-file-system .* \/run/,
  },
  {
    name: 'too little in /run',
    place: { purpose: 'run', path: '/run', freeBytes: 15 * 2 ** 20 },
    page: /^fail 15 MiB/,
  },
  { name: 'no inodes', place: { freeInodes: 1 }, page: /^fail 1 of 1000 inodes/ },
  { name: 'few inodes', place: { freeInodes: 30 }, page: /^warn 30 of 1000 inodes/ },
  { name: 'a file system without inodes', place: { freeInodes: 0, totalInodes: 0 }, page: /^ok/ },
])('disk: $name', ({ place, page }) => {
  expect(pageOf(disk, { places: [{ ...PLACE, ...place }] })).toMatch(page)
})

test('disk: one place with several purposes is shown once', () => {
  const page = pageOf(disk, { places: [PLACE, { ...PLACE, purpose: 'generations' }] })
  expect(page.match(/free/g)).toHaveLength(1)
})

const DNS: DnsFacts = {
  servers: [{ address: '10.0.0.1', answers: true }],
  names: [{ name: 'ai.example.org', addresses: ['192.0.2.7'] }],
  own: ['127.0.0.1', '192.0.2.7'],
  isPublic: false,
}
test.each<{ name: string; facts: Partial<DnsFacts>; page: RegExp }>([
  { name: 'all well', facts: {}, page: /^ok 10.0.0.1: answer\nok ai.example.org points to this host \(192.0.2.7\)$/ },
  { name: 'no server', facts: { servers: [] }, page: /^warn \/etc\/resolv.conf names no server/ },
  {
    name: 'silent',
    facts: { servers: [{ address: '127.0.0.53', answers: false }] },
    page: /^fail no answer from the name server 127.0.0.53[\s\S]*restart systemd-resolved/,
  },
  {
    name: 'one of two silent',
    facts: { servers: [...DNS.servers, { address: '10.0.0.2', answers: false }] },
    page: /^warn no answer from the name server 10.0.0.2/,
  },
  {
    name: 'no such name',
    facts: { names: [{ name: 'a.b', addresses: [] }], isPublic: true },
    page: /fail a.b does not resolve\n.*no certificate can be issued[\s\S]*a.b. A 192.0.2.7$/,
  },
  {
    name: 'elsewhere',
    facts: { names: [{ name: 'a.b', addresses: ['198.51.100.1'] }] },
    page: /warn a.b points to 198.51.100.1, which is not an address of this host/,
  },
])('dns: $name', ({ facts, page }) => {
  expect(pageOf(dns, { ...DNS, ...facts })).toMatch(page)
})

test('reads three name servers at most, as the resolver does', () => {
  const text =
    '# a\nnameserver 10.0.0.1\n nameserver  fe80::1%eth0\noptions x\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n'
  expect(parseResolvConf(text)).toEqual(['10.0.0.1', 'fe80::1%eth0', '10.0.0.3'])
})
