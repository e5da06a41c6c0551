// Names of the systems that people come from: taken, or told what to write instead.
import { expect, test } from 'vitest'
import { readEnvironment } from '../../../config/environment.ts'
import { foreignVariables } from '../../../config/foreign-variables.ts'
import { configKeys } from '../../../config/key-set.ts'

const problemsOf = (env: Record<string, string>) =>
  readEnvironment({ env, credentialsDirectory: undefined }, configKeys(), () => ['openai']).problems

test.each([
  ['GATE_LOG', 'info', 'GATE_LOG__LEVEL'],
  ['GATE_LOG', 'trace', 'GATE_LOG__LEVEL'],
  ['GATE_AUTH_TOKEN', 'x', 'GATE_AUTH__TOKEN'],
  ['GATE_OPENAI_API_KEY', 'x', 'GATE_UPSTREAMS__OPENAI__API_KEY'],
  ['GATE_LLAMA_CPP_API_KEY', 'x', 'GATE_UPSTREAMS__LLAMA_CPP__API_KEY'],
  ['GATE_OPENAI_API_KEY_FILE', '/x', 'GATE_UPSTREAMS__OPENAI__API_KEY_FILE'],
])('%s=%s stops the start and names %s', (name, value, meant) => {
  expect(problemsOf({ [name]: value })).toMatchObject([{ where: name, hint: `did you mean ${meant}?` }])
})

test('the level trace stops the start and names the levels there are', () => {
  expect(problemsOf({ GATE_LOG__LEVEL: 'trace' })).toMatchObject([{ hint: 'use error, warn, info, debug' }])
})

test.each([
  ['GATE_SOMEBODY_API_KEY', 'x'],
  ['GATE_SERVICE_HOST', '10.0.0.1'],
  ['GATE_OPENAI', 'x'],
])('%s may belong to another program', (name, value) => {
  expect(problemsOf({ [name]: value })).toEqual([])
})

test.each(['RUST_LOG', 'AISOPOD_LOG'])('%s is told of', (name) => {
  expect(foreignVariables({ [name]: 'x', PATH: '/bin' })).toMatchObject([
    [name, expect.stringMatching(/GATE_LOG__LEVEL|token create/)],
  ])
  expect(foreignVariables({ [name]: '' })).toEqual([])
})
