// The official Claude Code signs in to Gate by its gateway protocol, in a terminal, as a person does.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { hasProgram, tryRun } from '../support/programs.ts'
import { AGENTS, programOf } from './agents.ts'
import type { SignInRun } from './run-sign-in.ts'

const missing = missingHere()
const title = 'Claude Code signs in, takes its managed settings, asks a model, and is told when its sign-in has ended'

test.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (needs ${missing})`, async () => {
  const inside = ['--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']
  const command = [...inside, process.execPath, join(import.meta.dirname, 'run-sign-in.ts')]
  const { stdout } = await promisify(execFile)('unshare', command, { maxBuffer: 2 ** 26 })
  const run = JSON.parse(stdout.slice(stdout.lastIndexOf('{"screen"'))) as SignInRun
  expect(run.answered).toEqual({ code: 0, output: expect.stringContaining('hello from the test') })
  expect(run.requests).toEqual(
    expect.arrayContaining([
      'GET /.well-known/oauth-authorization-server 200',
      'POST /auth/device 200',
      'POST /auth/device/token 200',
      'GET /managed/settings 200',
      'GET /v1/models 200',
      'POST /v1/messages 200',
    ]),
  )
  expect(run.revoked.code).not.toBe(0)
  expect(run.requests.at(-1)).toMatch(/ 401$/)
})

function missingHere(): string | undefined {
  const [claude] = AGENTS
  if (claude === undefined || !existsSync(programOf(claude))) return 'npm run test:agents, which installs it'
  if (!hasProgram('ip') || tryRun('unshare', ['--net', 'true']).status !== 0) return 'a network namespace, and ip'
  try {
    createRequire(join(import.meta.dirname, '../../package.json')).resolve('node-pty')
    return undefined
  } catch {
    return 'node-pty'
  }
}
