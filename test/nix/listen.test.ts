import { describe, expect, test } from 'vitest'
import { list, nixText, str } from '../../syntax/nix/print.ts'
import { HOSTS } from '../support/hosts.ts'
import { evaluateNix, hasNix, NIX_TESTS } from '../support/nix.ts'

const LISTEN = `import ${NIX_TESTS}/../../nix/lib/listen.nix { inherit (import ${NIX_TESTS}/evaluator.nix) lib; }`

describe.skipIf(!hasNix)('hosts in Nix (needs nix-bin)', () => {
  test('A17: have the verdicts of schemas/words/address.ts', () => {
    const hosts = nixText(list(HOSTS.map(({ host }) => str(host))))
    const judge = '{ inherit host; here = l.isLoopback host; every = l.isEvery host; address = l.isAddress host; }'
    expect(evaluateNix(`let l = ${LISTEN}; in map (host: ${judge}) ${hosts}`)).toEqual(
      HOSTS.map(({ host, reach, address }) => ({
        host,
        here: reach === 'here',
        every: reach === 'every',
        address: address !== undefined,
      })),
    )
  })
})
