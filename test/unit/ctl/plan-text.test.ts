// E4: a plan begins with what it does to each backend.
import { expect, test } from 'vitest'
import { planJson, planLines, planText } from '../../../ctl/output/plan-text.ts'
import type { Desired } from '../../../host/plan/desired.ts'
import type { Observed } from '../../../host/plan/observe.ts'
import { makePlan } from '../../../host/plan/plan.ts'
import {
  backend,
  desiredOf,
  generationsOf,
  NO_OBSERVATION,
  settled,
  TWO,
  twoBackends,
} from '../../support/observed-host.ts'

const linesOf = (desired: Desired, observed: Observed) => planLines({ plan: makePlan(desired, observed), observed })
const changed = desiredOf({ backends: { ...twoBackends, one: backend({ args: ['--listen', '{socket}', '--more'] }) } })

test.each<{ name: string; desired: Desired; observed: Observed; summary: string[] }>([
  {
    name: 'two new backends are two lines',
    desired: TWO,
    observed: NO_OBSERVATION,
    summary: [
      '+ backend one  create user gate-one, its subordinate ids, 9 files, the link to its units; start its user manager, 5 units',
      '+ backend two  create user gate-two, its subordinate ids, 11 files, the link to its units; start its user manager, 5 units',
      '+ gateway      create user gate, 8 files; enable 4 units; start 4 units',
      '~ host         create 2 groups, 3 files',
    ],
  },
  {
    name: 'an argument of one backend is about that one alone',
    desired: changed,
    observed: settled(TWO),
    summary: ['~ backend one  change gate-one.container; restart gate-one.service'],
  },
  {
    name: 'what a backend that goes leaves behind is known from the generations before',
    desired: desiredOf({ backends: { one: twoBackends.one } }),
    observed: settled(TWO),
    summary: [
      '- backend two  remove 11 files, the link to its units; stop gate-two-directory.service, user@40001.service, user gate-two',
      '~ gateway      change declared.json; reload gate-daemon.service',
      '~ host         change /etc/sysusers.d/gate.conf, /etc/tmpfiles.d/gate.conf',
    ],
  },
  {
    name: 'an image is named without its digest',
    desired: TWO,
    observed: {
      ...settled(TWO),
      missingImages: TWO.generation.images.slice(0, 1).map(({ user, image }) => ({ user, image, archive: undefined })),
    },
    summary: ['~ backend one  create image localhost/engine'],
  },
  {
    name: 'a generation that was never seen to work belongs to none of them',
    desired: TWO,
    observed: { ...settled(TWO), generations: generationsOf({ 1: TWO.generation, 2: TWO.generation }, 2, 1) },
    summary: [],
  },
])('E4 $name', ({ desired, observed, summary }) => {
  const text = planText(linesOf(desired, observed), 'none').split('\n')
  expect(text.slice(0, -2)).toEqual(summary)
  expect(text.at(-1)).toMatch(/^plan: /)
})

test('what a manager has loaded is named with why it is not root’s, as text alone', () => {
  const loaded = [
    { what: 'unit', name: 'x.service', why: 'it is from /run/user/40000/\u001b[2J' },
    { what: 'variable', name: 'LD_PRELOAD', why: 'every unit would get it' },
    { what: 'manager', name: 'gate-one', why: 'it does not answer' },
  ] as const
  const planted = [{ user: 'gate-one', untaken: [], inHome: [], inRuntime: [], jobs: [], loaded }]
  const lines = linesOf(TWO, { ...settled(TWO), planted })
  const text = planText(lines, 'all')
  expect(text).toMatch(/^~ backend one {2}remove x\.service, variable LD_PRELOAD, manager gate-one; start /)
  expect(text).toContain('- remove unit x.service  (made by gate-one, it is from /run/user/40000/')
  expect(text).not.toContain('\u001b')
})

test('E4 each step has one owner, and no step of a backend is another one’s', () => {
  const lines = linesOf(TWO, NO_OBSERVATION)
  for (const { owner, name } of lines) {
    const about = /\b(?:one|4000[0])\b/.test(name)
      ? 'backend one'
      : /\b(?:two|40001)\b/.test(name)
        ? 'backend two'
        : owner
    expect(`${name}: ${owner}`).toBe(`${name}: ${about}`)
  }
  expect(lines.filter(({ owner }) => owner.startsWith('backend'))).not.toEqual([])
})

test('E4 below the summary come the files that change, and with --verbose every step', () => {
  const lines = linesOf(changed, settled(TWO))
  const diffs = planText(lines, 'diffs')
  expect(diffs).toContain('~ change file /etc/containers/systemd/users/40000/gate-one.container  (the spec changed)')
  expect(diffs).toContain('+Exec=--listen /run/engine/engine.sock --more')
  expect(diffs).not.toContain('restart unit')
  const all = planText(lines, 'all').split('\n')
  for (const { action, what, name } of lines) expect(all.join('\n')).toContain(`${action} ${what} ${name}  (`)
  expect(all.indexOf('> restart unit gate-one.service of gate-one  (gate-one.container changed)')).toBeGreaterThan(0)
})

test('E4 JSON says what it said: no owner in it', () => {
  const [first] = planJson(linesOf(TWO, NO_OBSERVATION))
  expect(first).toEqual({ action: 'create', what: 'group', name: 'gate-admin', why: 'not there' })
})
