import { chmodSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { holdSocket } from '../../../system/held-socket.ts'

/** A backend's directory, and that of another one: a file system of its own. */
const own = mkdtempSync(join(tmpdir(), 'gate-held-'))
const other = mkdtempSync(join('/dev/shm', 'gate-held-'))
const areApart = statSync(own).dev !== statSync(other).dev
const servers = Object.entries({ [own]: 'own', [other]: 'other' }).map(([directory, name]) => {
  const server = createServer((socket) => socket.end(name))
  return { server, path: join(directory, 'engine.sock') }
})

beforeAll(async () => {
  chmodSync(own, 0o777) // as another account's: not ours alone
  for (const { server, path } of servers) await new Promise<void>((resolve) => server.listen(path, resolve))
  symlinkSync('engine.sock', join(own, 'inner.sock'))
  symlinkSync(join(other, 'engine.sock'), join(own, 'elsewhere.sock'))
})
afterAll(() => {
  for (const { server } of servers) server.close()
  for (const directory of [own, other]) rmSync(directory, { recursive: true })
})

/** Who answers there. */
function answer(at: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect({ path: at })
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('end', () => resolve(text)).on('error', reject)
  })
}

const NONE = { code: 'ENOENT' }
const ELSEWHERE = { code: 'ELOOP', message: expect.stringContaining('a link of another account') }
test.skipIf(!areApart).each([
  { name: 'engine.sock', mode: 0o777, ownLinks: 'own', noLinks: 'own' },
  { name: 'inner.sock', mode: 0o777, ownLinks: 'own', noLinks: ELSEWHERE },
  { name: 'elsewhere.sock', mode: 0o777, ownLinks: ELSEWHERE, noLinks: ELSEWHERE },
  { name: 'elsewhere.sock', mode: 0o755, ownLinks: 'other', noLinks: ELSEWHERE },
  { name: 'missing.sock', mode: 0o777, ownLinks: NONE, noLinks: NONE },
])(
  '$name in a directory of mode $mode leads to $ownLinks, without links $noLinks',
  async ({ name, mode, ...wanted }) => {
    chmodSync(own, mode)
    for (const [follows, leadsTo] of [['own links', wanted.ownLinks] as const, ['no links', wanted.noLinks] as const]) {
      const hold = () => holdSocket(join(own, name), follows)
      if (typeof leadsTo === 'object') expect(hold).toThrow(expect.objectContaining(leadsTo))
      else {
        const held = hold()
        expect(await answer(held.at)).toBe(leadsTo)
        held.release()
      }
    }
  },
)

test('what is connected to is what was looked at, whatever is put in its place', async () => {
  chmodSync(own, 0o777)
  const path = join(own, 'engine.sock')
  const held = holdSocket(path)
  renameSync(path, `${path}.kept`)
  symlinkSync(join(other, 'engine.sock'), path)
  expect(await answer(held.at)).toBe('own')
  held.release()
  renameSync(`${path}.kept`, path)
})
