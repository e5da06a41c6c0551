import { existsSync, mkdirSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { applyPlan } from '../../../host/apply/apply.ts'
import { removeWhole } from '../../../host/generations/generations.ts'
import { type Host, localHost } from '../../../host/host.ts'
import { nothingDesired } from '../../../host/plan/desired.ts'
import { observe } from '../../../host/plan/observe.ts'
import { makePlan } from '../../../host/plan/plan.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  directory = temporaryDirectory()
  mkdirSync(directory.file('5'))
  directory.write('5/manifest.json', '{}')
})
afterEach(() => directory.remove())

test('a removal that is cut off leaves nothing under its name, and is finished by the next', () => {
  const host = localHost()
  const cutOff: Host = {
    ...host,
    removeTree: (path) => {
      if (existsSync(path)) throw new Error('killed')
    },
  }
  expect(() => removeWhole(cutOff, directory.file('5'))).toThrow('killed')
  expect(host.list(directory.path)).toEqual(['5.old'])
  removeWhole(host, directory.file('5'))
  expect(host.list(directory.path)).toEqual([])
})

const DEPLOYED = '/var/lib/gate-deploy'

/** A host with generations 1 and 2, of which the second runs; the first program that changes something fails. */
function hostWithTwo() {
  const manifest = JSON.stringify(nothingDesired('gate').generation)
  const links = new Map([
    [`${DEPLOYED}/current`, 'generations/2'],
    [`${DEPLOYED}/committed`, 'generations/2'],
  ])
  const removed: string[] = []
  let runs = 0
  const nothing = () => {}
  const host: Host = {
    read: (path) => (/\/generations\/[12]\/manifest\.json$/.test(path) ? manifest : undefined),
    readUntrusted: () => undefined,
    status: (path) => {
      const target = links.get(path)
      const isThere = target !== undefined || /\/generations\/[12]$/.test(path)
      return isThere
        ? { kind: 'link', mode: 0o777, uid: 0, gid: 0, links: 1, target, modifiedMs: 0, changedMs: 0 }
        : undefined
    },
    list: (path) => (path === `${DEPLOYED}/generations` ? ['1', '2'] : []),
    ask: async () => ({ code: 0, stdout: '', stderr: '' }),
    run: async () => ({ code: runs++ === 0 ? 1 : 0, stdout: '', stderr: 'no' }),
    link: (path, target) => links.set(path, target),
    rename: (from) => removed.push(from),
    removeTree: (path) => removed.push(path),
    remove: (path) => removed.push(path),
    write: nothing,
    makeDirectory: nothing,
    takeOwnership: nothing,
    removeEmpty: nothing,
  }
  return { host, links, removed }
}

test('a rollback that does not work keeps the generation that it went to', async () => {
  const { host, links, removed } = hostWithTwo()
  const desired = nothingDesired('gate')
  const observed = await observe(host, desired)
  const context = {
    step: <T>(_: string, work: (say: () => void) => Promise<T>) => work(() => {}),
    limits: { timeoutMs: 1_000 },
    keep: 9,
  }
  const result = await applyPlan(host, makePlan(desired, observed, 1), observed, context)
  expect(result).toMatchObject({ kind: 'rolled-back', to: 2 })
  expect(links.get(`${DEPLOYED}/current`)).toBe('generations/2')
  expect(removed).toEqual([])
})
