import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { userDocs } from '../../scripts/stage.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const POSTRM = readFileSync(join(import.meta.dirname, '../../packaging/debian/postrm'), 'utf8')

let root: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  root = temporaryDirectory()
  mkdirSync(root.file('disk/models'), { recursive: true })
  mkdirSync(root.file('var/lib'), { recursive: true })
  writeFileSync(root.file('disk/gate.db'), 'keys')
})
afterEach(() => root.remove())

/** Runs the script with its paths below the temporary directory. */
function purge() {
  const script = POSTRM.replaceAll(/(?<=[\s=])\/(?=var\/|run\/|etc\/)/g, `${root.path}/`)
  return spawnSync('sh', ['-c', script, 'postrm', 'purge'], { encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } })
}

test('a purge ends well when the state is on another disk, and removes it there', () => {
  symlinkSync(root.file('disk'), root.file('var/lib/gate'))
  writeFileSync(root.file('disk/models/own.gguf'), 'a model')
  expect(purge()).toMatchObject({ status: 0 })
  expect(readdirSync(root.file('disk'), { recursive: true }).sort()).toEqual(['models', 'models/own.gguf'])
})

test('a purge beside a deployment removes nothing, and says so', () => {
  symlinkSync(root.file('disk'), root.file('var/lib/gate'))
  mkdirSync(root.file('var/lib/gate-deploy'))
  expect(purge()).toMatchObject({ status: 0, stderr: expect.stringContaining('kept what gatectl apply made') })
  expect(readFileSync(root.file('disk/gate.db'), 'utf8')).toBe('keys')
})

test('E5 a purge beside a deployment names the way, and no page that is gone with the package', () => {
  mkdirSync(root.file('var/lib/gate-deploy'))
  const { stderr } = purge()
  expect(stderr).toContain('gatectl uninstall --purge && apt purge gate')
  expect(stderr).not.toMatch(/\.md/)
})

const PRERM = readFileSync(join(import.meta.dirname, '../../packaging/debian/prerm'), 'utf8')
test.each([
  { name: 'a removal beside a deployment', action: 'remove', isDeployed: true, says: true },
  { name: 'a removal without one', action: 'remove', isDeployed: false, says: false },
  { name: 'an upgrade', action: 'upgrade', isDeployed: true, says: false },
])('E5 $name says how to undo what apply made: $says', ({ action, isDeployed, says }) => {
  if (isDeployed) mkdirSync(root.file('var/lib/gate-deploy'))
  const env = { PATH: '/usr/bin:/bin', DPKG_ROOT: root.path }
  const { status, stderr } = spawnSync('sh', ['-c', PRERM, 'prerm', action], { encoding: 'utf8', env })
  expect(status).toBe(0)
  expect(stderr.includes('gatectl uninstall --purge')).toBe(says)
})

test('E5 the package has every page for users, and no link of theirs leads out of it', () => {
  const pages = userDocs()
  expect(pages).toEqual(expect.arrayContaining(['spec.md', 'doctor.md', 'deploy-debian.md', 'clients.md']))
  const links = pages.flatMap((name) => {
    const text = readFileSync(join(import.meta.dirname, '../../docs', name), 'utf8')
    return [...text.matchAll(/\]\(([\w./-]+\.md)(?:#[\w-]*)?\)/g)].map(([, to = '']) => ({ name, to }))
  })
  const known = new Set([...pages, '../README.md'])
  expect(links.filter(({ to }) => !known.has(to))).toEqual([])
})

const POSTINST = readFileSync(join(import.meta.dirname, '../../packaging/debian/postinst'), 'utf8')
const OWN = 'gate:x:990:990:Gate:/var/lib/gate:/usr/sbin/nologin\n'
test.each([
  { name: 'an empty host', isTaken: true },
  { name: 'a host with the accounts of an earlier package', passwd: OWN, group: 'gate:x:990:\n', isTaken: true },
  { name: 'a person called gate', passwd: 'gate:x:1000:1000::/home/gate:/bin/bash\n', isTaken: false },
  { name: 'a program called gate', passwd: 'gate:x:120:120::/var/lib/gate:/bin/sh\n', isTaken: false },
  { name: 'a person called gate without a shell', passwd: OWN.replaceAll('990', '1000'), isTaken: false },
  { name: 'a group of people called gate-admin', group: 'gate-admin:x:1001:alice\n', isTaken: false },
  { name: 'an upgrade', passwd: 'gate:x:1000:1000::/home/gate:/bin/bash\n', before: '1.0', isTaken: true },
])('the package is configured on $name: $isTaken', ({ passwd = '', group = '', before = '', isTaken }) => {
  for (const [path, text] of Object.entries({ passwd: `root:x:0:0::/root:/bin/sh\n${passwd}`, group })) {
    mkdirSync(root.file('etc'), { recursive: true })
    writeFileSync(root.file(`etc/${path}`), text)
  }
  mkdirSync(root.file('bin'))
  for (const program of [
    'systemd-sysusers',
    'systemd-tmpfiles',
    'deb-systemd-helper',
    'deb-systemd-invoke',
    'systemctl',
  ])
    writeFileSync(root.file(`bin/${program}`), `#!/bin/sh\necho ${program}\n`, { mode: 0o755 })
  const env = { PATH: `${root.file('bin')}:/usr/bin:/bin`, DPKG_ROOT: root.path }
  const args = ['-c', POSTINST, 'postinst', 'configure', before]
  const { status, stdout, stderr } = spawnSync('sh', args, { encoding: 'utf8', env })
  expect({ status, isMade: stdout.includes('systemd-sysusers') }).toEqual({ status: isTaken ? 0 : 1, isMade: isTaken })
  expect(stderr.includes('dpkg --configure gate')).toBe(!isTaken)
})
