import { expect, test } from 'vitest'
import { decidingKeys, readModelRequest } from '../../../../daemon/translate/model-request.ts'
import { outlineOf } from '../../../../syntax/json/outline.ts'

const NOTHING = {
  models: [],
  order: [],
  only: null,
  ignore: [],
  strategy: null,
  isAcrossModels: false,
  maxPrice: null,
  promises: [],
  provider: null,
  needsAll: false,
  isAlone: false,
  ignored: [],
}

function routingOf(fields: object) {
  const body = Buffer.from(JSON.stringify({ model: 'm', ...fields }))
  return readModelRequest(body, outlineOf(body), decidingKeys(), []).asked.routing
}

test.each<{ name: string; fields: object; says: object }>([
  { name: 'models', fields: { models: ['a', 'm', 'a', 'b'] }, says: { models: ['a', 'b'] } },
  { name: 'order', fields: { provider: { order: ['x'] } }, says: { order: ['x'] } },
  { name: 'only', fields: { provider: { only: ['x'] } }, says: { only: ['x'] } },
  { name: 'only nothing', fields: { provider: { only: [] } }, says: { only: [] } },
  { name: 'ignore', fields: { provider: { ignore: ['x'] } }, says: { ignore: ['x'] } },
  { name: 'allow_fallbacks', fields: { provider: { allow_fallbacks: false } }, says: { isAlone: true } },
  { name: 'allow_fallbacks, the usual', fields: { provider: { allow_fallbacks: true } }, says: {} },
  { name: 'require_parameters', fields: { provider: { require_parameters: true } }, says: { needsAll: true } },
  { name: 'sort by price', fields: { provider: { sort: 'price' } }, says: { strategy: 'cost' } },
  { name: 'sort by latency', fields: { provider: { sort: 'latency' } }, says: { strategy: 'latency' } },
  { name: 'sort by throughput', fields: { provider: { sort: 'throughput' } }, says: { strategy: 'latency' } },
  {
    name: 'sort across models',
    fields: { provider: { sort: { by: 'price', partition: 'none' } } },
    says: { strategy: 'cost', isAcrossModels: true },
  },
  {
    name: 'sort within models',
    fields: { provider: { sort: { by: 'price', partition: 'model' } } },
    says: { strategy: 'cost' },
  },
  {
    name: 'max_price',
    fields: { provider: { max_price: { prompt: 1, completion: '2.5' } } },
    says: { maxPrice: { input: 1e6, output: 2.5e6 } },
  },
  {
    name: 'max_price of one side',
    fields: { provider: { max_price: { completion: 2, image: 1, request: 0 } } },
    says: {
      maxPrice: { input: Number.POSITIVE_INFINITY, output: 2e6 },
      ignored: ['provider.max_price.image', 'provider.max_price.request'],
    },
  },
  {
    name: 'data_collection',
    fields: { provider: { data_collection: 'deny' } },
    says: { promises: ['data_collection'] },
  },
  { name: 'data_collection, the usual', fields: { provider: { data_collection: 'allow' } }, says: {} },
  { name: 'zdr', fields: { provider: { zdr: true, enforce_distillable_text: false } }, says: { promises: ['zdr'] } },
  {
    name: 'distillable texts',
    fields: { provider: { enforce_distillable_text: true } },
    says: { promises: ['enforce_distillable_text'] },
  },
  { name: 'quantizations', fields: { provider: { quantizations: ['fp8'] } }, says: { promises: ['quantizations'] } },
  {
    name: 'wishes that nothing is known for',
    fields: {
      provider: { preferred_min_throughput: 50, preferred_max_latency: { p90: 1 }, made_up: 1, nothing: null },
    },
    says: { ignored: ['provider.preferred_min_throughput', 'provider.preferred_max_latency', 'provider.made_up'] },
  },
  { name: 'nulls', fields: { models: null, provider: { order: null, only: null, sort: null, zdr: null } }, says: {} },
])('what OpenRouter documents: $name', ({ fields, says }) => {
  const { provider = null } = fields as { provider?: object }
  expect(routingOf(fields)).toEqual({ ...NOTHING, provider, ...says })
})

test.each([
  { fields: { models: 'a' }, param: 'models' },
  { fields: { models: [1] }, param: 'models' },
  { fields: { models: [''] }, param: 'models' },
  { fields: { models: ['x'.repeat(257)] }, param: 'models' },
  { fields: { models: ['google/cheap/../dear'] }, param: 'models' },
  { fields: { models: ['google/\ud800'] }, param: 'models' },
  { fields: { models: Array.from({ length: 9 }, (_, i) => `m${i}`) }, param: 'models' },
  { fields: { models: ['x'.repeat(300)] }, param: 'models' },
  { fields: { models: ['x'.repeat(5_000)] }, param: 'models' },
  { fields: { provider: { order: 'x' } }, param: 'provider.order' },
  { fields: { provider: { only: [1] } }, param: 'provider.only' },
  { fields: { provider: { ignore: {} } }, param: 'provider.ignore' },
  { fields: { provider: { allow_fallbacks: 'no' } }, param: 'provider.allow_fallbacks' },
  { fields: { provider: { require_parameters: 1 } }, param: 'provider.require_parameters' },
  { fields: { provider: { sort: 'speed' } }, param: 'provider.sort' },
  { fields: { provider: { sort: 'constructor' } }, param: 'provider.sort' },
  { fields: { provider: { sort: { by: 'price', partition: 'x' } } }, param: 'provider.sort.partition' },
  { fields: { provider: { max_price: 3 } }, param: 'provider.max_price' },
  { fields: { provider: { max_price: { prompt: -1 } } }, param: 'provider.max_price.prompt' },
  { fields: { provider: { max_price: { completion: 'free' } } }, param: 'provider.max_price.completion' },
  { fields: { provider: { data_collection: 'never' } }, param: 'provider.data_collection' },
  { fields: { provider: { zdr: 'yes' } }, param: 'provider.zdr' },
  { fields: { provider: { quantizations: 'fp8' } }, param: 'provider.quantizations' },
  { fields: { provider: { order: ['x'.repeat(5_000)] } }, param: 'provider' },
])('$fields is refused, and names $param', ({ fields, param }) => {
  expect(() => routingOf(fields)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST', param }))
})

test.each([{}, { provider: 'openai' }, { provider: null }, { provider: ['x'] }])(
  '%j says nothing to Gate',
  (fields) => {
    expect(routingOf(fields)).toBeUndefined()
  },
)
