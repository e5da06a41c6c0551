import { expect, test } from 'vitest'
import { type PlantedFacts, planted } from '../../../../host/doctor/checks/planted.ts'
import { pageOf } from './page.ts'

const HOME = '/var/lib/gate-backends/one'
const NOTHING = { user: 'gate-one', untaken: [], inHome: [], inRuntime: [], jobs: [], loaded: [] }

test.each<{ name: string; facts: Partial<PlantedFacts>; page: RegExp }>([
  { name: 'nothing', facts: {}, page: /^ok accounts of backends have made nothing/ },
  { name: 'an ordinary user', facts: { isRoot: false }, page: /^skip / },
  {
    name: 'a drop-in',
    facts: { planted: [{ ...NOTHING, inRuntime: ['/run/user/40000/systemd/user/x.conf'] }] },
    page: /^fail gate-one has made \/run\/user\/40000\/systemd\/user\/x.conf[\s\S]*\$ gatectl apply$/,
  },
  {
    name: 'a variable of its manager',
    facts: {
      planted: [{ ...NOTHING, loaded: [{ what: 'variable', name: 'LD_PRELOAD', why: 'every unit would get it' }] }],
    },
    page: /^fail gate-one has made its manager's variable LD_PRELOAD\n.*every unit would get it; an apply starts[\s\S]*\$ gatectl apply$/,
  },
  {
    name: 'a home of an earlier version',
    facts: { planted: [{ ...NOTHING, untaken: [`${HOME}/.local`] }] },
    page: /^fail \S+\/.local should be root's[\s\S]*\$ gatectl apply$/,
  },
])('planted: $name', ({ facts, page }) => {
  expect(pageOf(planted, { isRoot: true, planted: [], ...facts })).toMatch(page)
})
