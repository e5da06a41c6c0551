import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { passedSocket } from '../../../../daemon/process/passed-socket.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const UNIT = '/etc/systemd/system/gate-daemon.socket'
const MADE = '# Made by gatectl from the spec; changes here are lost.\n[Socket]\nListenStream=127.0.0.1:3000\n'

test.each([
  { name: 'the unit of the package', files: {}, writtenBy: 'unit' },
  { name: 'the unit that apply wrote', files: { [UNIT]: MADE }, writtenBy: 'spec' },
  {
    name: 'a drop-in with an address over it',
    files: { [UNIT]: MADE, [`${UNIT}.d/a.conf`]: '[Socket]\nListenStream=\nListenStream=[::]:80\n' },
    writtenBy: 'unit',
  },
  {
    name: 'a drop-in that says something else',
    files: { [UNIT]: MADE, [`${UNIT}.d/a.conf`]: '[Socket]\nBacklog=9\n', [`${UNIT}.d/b.txt`]: 'ListenStream=1' },
    writtenBy: 'spec',
  },
  { name: 'a unit of the administrator', files: { [UNIT]: '[Socket]\nListenStream=80\n' }, writtenBy: 'unit' },
])('C1: $name', ({ files, writtenBy }) => {
  const place = hostWith({ '/proc/self/cgroup': '0::/system.slice/gate-daemon.service\n', ...files })
  expect(passedSocket(place.path)).toEqual({ unit: 'gate-daemon.socket', writtenBy })
})

test('C1: what NixOS wrote is a link into its store', () => {
  const place = hostWith({ '/nix/store/1-units/gate-daemon.socket': MADE, '/etc/systemd/.keep': '' })
  symlinkSync(place.file('nix/store/1-units'), place.file('etc/systemd/system'))
  expect(passedSocket(place.path).writtenBy).toBe('nixos')
})

test.each([
  { cgroup: '0::/system.slice/gate-two-daemon.service\n', unit: 'gate-two-daemon.socket' },
  { cgroup: '0::/system.slice/system-gate.slice/gate-daemon.service/sub\n', unit: 'gate-daemon.socket' },
  { cgroup: '0::/user.slice/user-1000.slice/session-1.scope\n', unit: 'gate-daemon.socket' },
  { cgroup: undefined, unit: 'gate-daemon.socket' },
])('C1: the socket of $cgroup is $unit', ({ cgroup, unit }) => {
  expect(passedSocket(hostWith(cgroup === undefined ? {} : { '/proc/self/cgroup': cgroup }).path).unit).toBe(unit)
})

function hostWith(files: Readonly<Record<string, string>>) {
  const place = temporaryDirectory()
  onTestFinished(place.remove)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(place.file(path)), { recursive: true })
    writeFileSync(place.file(path), text)
  }
  return place
}
