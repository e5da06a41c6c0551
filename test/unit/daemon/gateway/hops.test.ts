import { expect, test } from 'vitest'
import { pushHop, refuseLoop } from '../../../../daemon/gateway/hops.ts'

const OWN = 'a'.repeat(32)
const [B, C, D, E, F] = ['b', 'c', 'd', 'e', 'f'].map((letter) => letter.repeat(32))

test.each([
  { name: 'that was nowhere', header: undefined, refused: false },
  { name: 'that was elsewhere', header: `${B}, ${C}`, refused: false },
  { name: 'that was here', header: `${B}, ${OWN}`, refused: true },
  { name: 'that was at too many', header: [B, C, D, E, F].join(','), refused: true },
  { name: 'that says what cannot be', header: 'x', refused: true },
])('a request $name', ({ header, refused }) => {
  const headers = header === undefined ? {} : { 'gate-hops': header }
  const look = () => refuseLoop(headers, OWN)
  if (refused) expect(look).toThrow(expect.objectContaining({ code: 'LOOP_DETECTED' }))
  else expect(look).not.toThrow()
  expect(() => refuseLoop(headers, null)).not.toThrow() // it is no gateway among others
})

test('a request to a peer says where it was', () => {
  const out: string[] = []
  pushHop(out, {}, OWN)
  pushHop(out, { 'gate-hops': String(B) }, OWN)
  pushHop(out, {}, null)
  expect(out).toEqual(['gate-hops', OWN, 'gate-hops', `${B}, ${OWN}`])
})
