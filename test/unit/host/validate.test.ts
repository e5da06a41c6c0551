import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { HostView } from '../../../host/host.ts'
import { validate } from '../../../host/plan/validate.ts'
import { TWO } from '../../support/observed-host.ts'

test('nft looks up no account: it may be made by this very apply', async () => {
  const checked: string[] = []
  const host: HostView = {
    read: () => undefined,
    readUntrusted: () => undefined,
    status: () => undefined,
    list: () => [],
    ask: async ([program, ...args]) => {
      if (program === 'nft') checked.push(readFileSync(args.at(-1) ?? '', 'utf8'))
      return { code: 0, stdout: '', stderr: '' }
    },
  }
  await validate(host, TWO)
  const accounts = checked.flatMap((text) => [...text.matchAll(/skuid (\S+)/g)].map(([, account]) => account))
  expect(accounts).toEqual(['0', '0'])
})
