import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { nodeKeyFile, openNodeKey } from '../../../../../daemon/relay/client/node-key.ts'
import { temporaryDirectory } from '../../../../support/temporary-directory.ts'

let folder: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  folder = temporaryDirectory()
})
afterEach(() => folder.remove())

test('the key of a node is made once, for its account alone', () => {
  const state = folder.path
  const made = openNodeKey(state)
  const file = nodeKeyFile(state)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(dirname(file)).mode & 0o777).toBe(0o700)
  expect(readdirSync(dirname(file))).toEqual(['node.key'])
  expect(made.spki).toHaveLength(44)
  expect(openNodeKey(state)).toEqual(made)
})

test('a key that cannot be used stays as it is, and is not quoted', () => {
  const state = folder.path
  const file = nodeKeyFile(state)
  mkdirSync(dirname(file))
  writeFileSync(file, 'CANARY')
  expect(() => openNodeKey(state)).toThrow(`${file} is not an Ed25519 key in PEM`)
  expect(() => openNodeKey(state)).not.toThrow('CANARY')
  expect(readFileSync(file, 'utf8')).toBe('CANARY')
})
