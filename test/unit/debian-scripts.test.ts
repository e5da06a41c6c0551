import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const POSTRM = readFileSync(join(import.meta.dirname, '../../packaging/debian/postrm'), 'utf8')

let root: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  root = temporaryDirectory()
  mkdirSync(root.file('disk/models'), { recursive: true })
  mkdirSync(root.file('var/lib'), { recursive: true })
  writeFileSync(root.file('disk/gate.db'), 'keys')
})
afterEach(() => root.remove())

/** Runs the script with its paths below the temporary directory. */
function purge() {
  const script = POSTRM.replaceAll(/(?<=[\s=])\/(?=var\/|run\/|etc\/)/g, `${root.path}/`)
  return spawnSync('sh', ['-c', script, 'postrm', 'purge'], { encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } })
}

test('a purge ends well when the state is on another disk, and removes it there', () => {
  symlinkSync(root.file('disk'), root.file('var/lib/gate'))
  writeFileSync(root.file('disk/models/own.gguf'), 'a model')
  expect(purge()).toMatchObject({ status: 0 })
  expect(readdirSync(root.file('disk'), { recursive: true }).sort()).toEqual(['models', 'models/own.gguf'])
})

test('a purge beside a deployment removes nothing, and says so', () => {
  symlinkSync(root.file('disk'), root.file('var/lib/gate'))
  mkdirSync(root.file('var/lib/gate-deploy'))
  expect(purge()).toMatchObject({ status: 0, stderr: expect.stringContaining('kept what gatectl apply made') })
  expect(readFileSync(root.file('disk/gate.db'), 'utf8')).toBe('keys')
})
