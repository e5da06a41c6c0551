import { expect, test } from 'vitest'
import type { Account } from '../../../host/accounts.ts'
import { fetchImage } from '../../../host/apply/images.ts'
import type { Host } from '../../../host/host.ts'
import { HostError } from '../../../host/problem.ts'
import { runProgram } from '../../../host/program.ts'

const IMAGE = `registry.example/engine@sha256:${'0'.repeat(64)}`
const ACCOUNT = { name: 'gate-one', uid: 40_000, gid: 40_000, home: '/home/one', shell: '' } satisfies Account

/** A host whose podman has no image, and prints these lines while it pulls one. */
function hostThatPrints(lines: readonly string[], code: number): Host {
  const run: Host['run'] = async (_, options) => {
    for (const line of lines) await options?.take?.line(line)
    return { code, stdout: '', stderr: '' }
  }
  return { ask: async () => ({ code: 1, stdout: '', stderr: '' }), run } as unknown as Host
}

async function pull(lines: readonly string[], code = 0) {
  const said: string[] = []
  const failed = await fetchImage(hostThatPrints(lines, code), ACCOUNT, { user: ACCOUNT.name, image: IMAGE }, (text) =>
    said.push(text),
  ).catch((error: unknown) => error)
  return { said, failed }
}

// as podman 5.4 prints them without a terminal
const LAYERS = ['aaaaaaaaaaaa', 'bbbbbbbbbbbb'].map((start) => `Copying blob sha256:${start.padEnd(64, '0')}`)

test.each([
  { name: 'E3 its layers', lines: LAYERS, said: ['layer 1 (aaaaaaaaaaaa)', 'layer 2 (bbbbbbbbbbbb)'] },
  {
    name: 'E3 a layer that is there',
    lines: [`${LAYERS[0]} skipped: already exists`],
    said: ['layer 1 (aaaaaaaaaaaa), here already'],
  },
  {
    name: 'E3 its beginning and its end',
    lines: [
      `Trying to pull ${IMAGE}...`,
      ...LAYERS,
      `Copying config sha256:${'c'.repeat(64)}`,
      'Writing manifest to image destination',
    ],
    said: [
      'asking its registry',
      'layer 1 (aaaaaaaaaaaa)',
      'layer 2 (bbbbbbbbbbbb)',
      'all 2 layers are here or on their way',
      'all layers are here',
    ],
  },
  { name: 'nothing of what it does not know', lines: ['Getting image source signatures', '\u001b[2J', ''], said: [] },
])('a pull tells $name', async ({ lines, said }) => {
  expect(await pull(lines)).toEqual({ said, failed: undefined })
})

test.each([
  { name: 'its last words', last: 'Error: initializing source: connection refused', code: 'MISSING_IMAGE' },
  { name: 'a full disk', last: 'Error: writing blob: no space left on device', code: 'DISK_FULL' },
])('a pull that fails tells $name', async ({ last, code }) => {
  const { failed } = await pull([...LAYERS, last], 125)
  expect(failed).toBeInstanceOf(HostError)
  expect((failed as HostError).problems[0]).toMatchObject({ code, lines: expect.arrayContaining([last]) })
})

test('lines of a program come while it runs', async () => {
  const lines: string[] = []
  const take = { from: 'stderr', line: async (line: string) => void lines.push(line) } as const
  const ran = await runProgram(['sh', '-c', 'echo one >&2; echo two >&2; echo out; exit 3'], { take })
  expect({ lines, ran }).toEqual({ lines: ['one', 'two'], ran: { code: 3, stdout: 'out\n', stderr: '' } })
})
