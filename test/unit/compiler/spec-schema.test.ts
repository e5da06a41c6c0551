import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { parse } from 'smol-toml'
import { expect, test } from 'vitest'
import { GOLDEN } from '../../support/golden.ts'

const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../../schemas/json/spec.json'), 'utf8'))
const ajv = new Ajv2020({ strict: false, allErrors: true })
formats.default(ajv)
const valid = ajv.compile(schema)
const spec = (name: string) => parse(readFileSync(join(GOLDEN, name, 'spec.toml'), 'utf8'))

test.each(['minimal', 'liminati', 'engines'])('the JSON Schema accepts %s', (name) => {
  valid(spec(name))
  expect(valid.errors).toBeNull()
})

test('the JSON Schema refuses wrong keys and literal secrets where the compiler does', () => {
  valid(spec('bad-keys'))
  const paths = valid.errors?.map(({ instancePath }) => instancePath)
  expect(paths).toEqual(
    expect.arrayContaining(['', '/gate', '/gate/profile', '/upstreams/openai/api_key', '/backends/qwen/model']),
  )
})
