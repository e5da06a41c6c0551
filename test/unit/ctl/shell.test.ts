import { chmodSync, renameSync, symlinkSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { exitLine, fakeShell, OPENED, outputLine, shellOnTerminal } from '../../support/fake-shell.ts'
import { gatectl } from '../../support/gatectl.ts'

let behave: (socket: Socket) => void
let heard: unknown[]
let place: ReturnType<typeof fakeShell>
beforeEach(() => {
  heard = []
  behave = (socket) => socket.once('data', () => socket.end(OPENED + exitLine(0)))
  place = fakeShell((socket) => {
    socket.on('data', (chunk: Buffer) =>
      heard.push(
        ...chunk
          .toString()
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line)),
      ),
    )
    behave(socket)
  })
})
afterEach(() => place.stop())

const shell = (...args: readonly string[]) => shellOnTerminal(place.admin, ...args)

test('a shell: what is typed and shown, its exit code, and the terminal as it was', async () => {
  behave = (socket) => {
    socket.once('data', () => {
      socket.write(OPENED)
      socket.once('data', () => socket.end(outputLine('\u001b[31mhello\n') + exitLine(3)))
    })
  }
  const { stdin, ended } = shell('own')
  stdin.write('hi')
  expect(await ended).toEqual({
    code: 3,
    screen: '\u001b[31mhello\n',
    said: 'Enter ~ . hangs up\n',
    raw: [true, false],
  })
  expect(heard).toEqual([
    { op: 'shell', backend: 'own', into: 'container', rows: 30, columns: 100, term: 'xterm' },
    { type: 'input', data: Buffer.from('hi').toString('base64') },
  ])
})

test('the journal goes the same way', async () => {
  expect(await shell('own', '--journal').ended).toMatchObject({ code: 0, said: '' })
  expect(heard).toMatchObject([{ into: 'journal' }])
})

test('the keys that hang up end it', async () => {
  behave = (socket) => socket.write(OPENED)
  const { stdin, ended } = shell('own')
  stdin.write('\r~.')
  expect(await ended).toMatchObject({ code: 0, raw: [true, false] })
})

// the account of the backend decides what answers
test.each([
  {
    name: 'refuses',
    says: '{"type":"error","code":"PEER_REFUSED","message":"no \\u001b[31m"}\n',
    said: /no \\u001b\[31m/,
  },
  { name: 'hangs up', says: '', said: /lost the connection to the shell/ },
  { name: 'hangs up later', says: OPENED, said: /lost the connection to the shell/ },
  { name: 'is no shell', says: 'SSH-2.0-x\r\n', said: /does not answer as gate-agent does/ },
  { name: 'shows something before it has opened', says: outputLine('$ '), said: /does not answer as gate-agent does/ },
  { name: 'opens twice', says: OPENED + OPENED, said: /does not answer as gate-agent does/ },
  {
    name: 'gives an exit code of its own',
    says: `${OPENED}${exitLine(4096)}`,
    said: /does not answer as gate-agent does/,
  },
  { name: 'never ends a line', says: OPENED + 'x'.repeat(70_000), said: /does not answer as gate-agent does/ },
])('one that $name is no shell, and the terminal is as it was', async ({ says, said }) => {
  behave = (socket) => socket.once('data', () => socket.end(says))
  const { stdin, ended } = shell('own')
  stdin.write('typed')
  const ran = await ended
  expect(ran).toMatchObject({ code: 1, screen: '' })
  expect(ran.said).toMatch(said)
  expect(ran.raw).toEqual(says.startsWith(OPENED) ? [true, false] : [])
  if (!says.startsWith(OPENED)) expect(heard).toHaveLength(1)
})

const refused = async (name: string) => JSON.parse((await shell(name, '--json').ended).said)

test('a shell goes to the backend that was named, and to no place beside it', async () => {
  expect(await refused('won')).toMatchObject({
    code: 'NO_SHELL',
    detail: expect.stringMatching(/did you mean "own"\?$/),
  })
  expect(await refused('../shells/own')).toMatchObject({ code: 'NO_SHELL' })
  expect(await refused('.')).toMatchObject({ code: 'NO_SHELL' })
  expect(heard).toEqual([])
})

test('a link in place of the socket, or of its directory, is not followed', async () => {
  const socket = join(place.shells, 'own', 'shell.sock')
  renameSync(socket, join(place.shells, 'own', 'real.sock'))
  symlinkSync('real.sock', socket)
  expect(await refused('own')).toMatchObject({ code: 'NO_SHELL', detail: expect.stringContaining('is not a socket') })
  renameSync(join(place.shells, 'own', 'real.sock'), socket)
  symlinkSync('own', join(place.shells, 'other'))
  expect(await refused('other')).toMatchObject({ code: 'NO_SHELL' })
  chmodSync(place.shells, 0o777)
  expect(await refused('own')).toMatchObject({ code: 'NO_SHELL', detail: expect.stringContaining("not root's alone") })
  expect(heard).toEqual([])
})

test('a host without shell sockets was deployed by an older version', async () => {
  renameSync(place.shells, `${place.shells}-gone`)
  expect(await refused('own')).toMatchObject({ code: 'NO_SHELL', hint: expect.stringContaining('sudo gatectl apply') })
})

test('a shell needs a terminal', async () => {
  expect(await gatectl(['backend', 'shell', 'own', '--socket', place.admin])).toMatchObject({ code: 2 })
})
