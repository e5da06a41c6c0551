import { existsSync, lchownSync, lstatSync, mkdirSync, symlinkSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeDirectories } from '../../../host/apply/directories.ts'
import { type Host, localHost } from '../../../host/host.ts'
import { isToBeMade } from '../../../host/plan/stray-link.ts'
import { hasProgram } from '../../support/programs.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const UID = process.getuid?.() === 0 ? 1234 : (process.getuid?.() ?? 0)
const USERS = new Map([
  ['gate-one', { name: 'gate-one', uid: UID, gid: UID, home: '/home/one', shell: '/usr/sbin/nologin' }],
])
const WANTED = ['/run/one', '/run/one/container', '/run/one/other', '/run/two']

let root: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  root = temporaryDirectory()
  mkdirSync(root.file('run/one'), { recursive: true })
})
afterEach(() => root.remove())

/** Below the temporary directory, with the host's own systemd-tmpfiles. */
function rooted(): Host {
  const own = localHost()
  const at = (path: string) => root.file(path.slice(1))
  return {
    ...own,
    status: (path) => own.status(at(path)),
    remove: (path) => own.remove(at(path)),
    run: ([program = '', ...args], options) => own.run([program, `--root=${root.path}`, ...args], options),
  }
}

function plant(path: string, target: string): void {
  symlinkSync(target, root.file(path))
  for (const one of ['run/one', path]) lchownSync(root.file(one), UID, UID)
}

async function made(wanted = WANTED): Promise<readonly string[]> {
  const said: string[] = []
  const text = wanted.map((path) => `d ${path} 0750 ${UID} ${UID} -\n`).join('')
  await makeDirectories(rooted(), wanted, { users: USERS }, { text, where: '--prefix=/' }, (line) => said.push(line))
  return said
}

const withTmpfiles = test.skipIf(!hasProgram('systemd-tmpfiles'))

withTmpfiles('a link of an account gives way to the directory, and is named (needs systemd-tmpfiles)', async () => {
  plant('run/one/container', '/etc')
  expect(WANTED.filter((path) => isToBeMade(rooted(), path))).toContain('/run/one/container')
  expect(await made()).toEqual(['removed /run/one/container, a link of gate-one to /etc'])
  for (const path of WANTED) expect(lstatSync(root.file(path.slice(1))).isDirectory()).toBe(true)
  expect(WANTED.filter((path) => isToBeMade(rooted(), path))).toEqual([])
})

test.skipIf(process.getuid?.() !== 0 || !hasProgram('systemd-tmpfiles'))(
  'what cannot be made is named, and the rest is made (needs root, systemd-tmpfiles)',
  async () => {
    plant('run/one/way', '/etc')
    await expect(made(['/run/one/way/inner', '/run/two'])).rejects.toMatchObject({
      problems: [
        {
          code: 'PROGRAM_FAILED',
          hint: expect.stringContaining('move away'),
          lines: [expect.stringMatching(/unsafe path transition .*run\/one\/way/)],
        },
      ],
    })
    expect(existsSync(root.file('run/two'))).toBe(true)
  },
)
