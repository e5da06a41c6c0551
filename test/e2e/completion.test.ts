import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAdminDaemon } from '../support/admin-daemon.ts'
import { GATECTL, gatectl } from '../support/gatectl-process.ts'

const run = promisify(execFile)
let daemon: Awaited<ReturnType<typeof startAdminDaemon>>
let folder = ''

beforeAll(async () => {
  daemon = await startAdminDaemon()
  folder = mkdtempSync(join(tmpdir(), 'gate-completion-'))
  writeFileSync(join(folder, 'gatectl'), `#!/bin/sh\nexec '${process.execPath}' '${GATECTL}' "$@"\n`)
  chmodSync(join(folder, 'gatectl'), 0o755)
  for (const shell of ['bash', 'zsh', 'fish']) {
    writeFileSync(join(folder, `completion.${shell}`), (await gatectl(['completion', shell])).stdout)
  }
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await daemon.stop()
})

/** Asks a real shell what it would offer at the end of `line`. */
async function offered(shell: 'bash' | 'zsh' | 'fish', line: string): Promise<readonly string[]> {
  const script = join(folder, `completion.${shell}`)
  const programs = {
    bash: [
      '--norc',
      '-c',
      `source "$1"; COMP_LINE=$2 COMP_POINT=\${#2}; _gatectl; printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
    ],
    // The completion system runs in the line editor only: its four functions are stood in for by ones that print.
    zsh: [
      '-f',
      '-c',
      `compdef() { : }; _describe() { print -rl -- "\${(@P)2}" }; _files() { print -- FILES }; compset() { : }
      compadd() { [[ $1 == -a ]] && print -rl -- "\${(@P)2}" || { shift; print -rl -- "$@" } }
      source "$1"; words=("\${(@s: :)2}"); CURRENT=$#words; PREFIX=$words[-1]; _gatectl`,
      'zsh',
    ],
    fish: ['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]'],
  }
  const env = { PATH: `${folder}:${process.env['PATH']}`, HOME: folder, GATE_ADMIN_SOCKET: daemon.socketPath }
  const { stdout } = await run(shell, [...programs[shell], script, line], { env, cwd: folder })
  return stdout.split('\n').filter((word) => word !== '')
}

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  const installed = spawnSync(shell, ['--version']).status === 0
  describe.skipIf(!installed)(`in ${shell} (needs ${shell})`, () => {
    test('the script is valid', async () => {
      await expect(run(shell, ['-n', join(folder, `completion.${shell}`)])).resolves.toMatchObject({ stderr: '' })
    })

    test.each([
      { line: 'gatectl co', expected: 'config' },
      { line: 'gatectl --socket /x co', expected: 'completion' },
      { line: 'gatectl token ', expected: 'revoke' },
      { line: 'gatectl --json config se', expected: 'set' },
      { line: 'gatectl config explain ', expected: 'server.port' },
      { line: 'gatectl config set --fo', expected: '--force' },
      { line: 'gatectl logs --level ', expected: 'warn' },
      { line: 'gatectl completion ', expected: 'fish' },
      { line: 'gatectl token create --na', expected: '--name' },
    ])('"$line" offers $expected', async ({ line, expected }) => {
      // zsh and fish add what a word means; zsh narrows the list down by itself.
      const words = (await offered(shell, line)).map((word) => word.split(/[\t:]/)[0])
      expect(words).toContain(expected)
    })

    test('offers the ids of keys that are not revoked', async () => {
      const made = JSON.parse((await gatectl(['--socket', daemon.socketPath, 'token', 'create', '--json'])).stdout)
      expect(await offered(shell, 'gatectl token revoke ')).toContain(made.id)
      await gatectl(['--socket', daemon.socketPath, 'token', 'revoke', made.id])
      expect(await offered(shell, 'gatectl token revoke ')).not.toContain(made.id)
    })
  })
}

test('bash registers the function', async () => {
  const { stdout } = await run('bash', [
    '-c',
    'source "$1"; complete -p gatectl',
    'bash',
    join(folder, 'completion.bash'),
  ])
  expect(stdout).toBe('complete -F _gatectl gatectl\n')
})

test.each([
  { line: 'gatectl token create --scopes chat', expected: ['chat:read', 'chat:write'] },
  { line: 'gatectl token create --scopes chat:r', expected: ['read'] },
  { line: 'gatectl token create --scopes admin,conf', expected: ['admin,config:read', 'admin,config:write'] },
  { line: 'gatectl config validate comp', expected: ['completion.bash', 'completion.fish', 'completion.zsh'] },
  { line: 'gatectl config set server.port ', expected: [] },
  {
    line: 'gatectl config set server.port -',
    expected: ['--force', '--file', '--json', '--socket', '--gateway', '--help', '-h', '--version'],
  },
  { line: 'gatectl config set log.level ', expected: ['error', 'warn', 'info', 'debug'] },
  { line: 'gatectl config set log.level d', expected: ['debug'] },
  { line: 'gatectl token list ', expected: [] },
  { line: 'gatectl help con', expected: ['config'] },
  { line: 'gatectl help config ex', expected: ['explain'] },
  { line: 'gatectl auth ', expected: ['create-token'] },
  { line: 'gatectl logs -n ', expected: [] },
])('bash completes "$line" to $expected', async ({ line, expected }) => {
  expect((await offered('bash', line)).slice(0, Math.max(expected.length, 1)).sort()).toEqual([...expected].sort())
})
