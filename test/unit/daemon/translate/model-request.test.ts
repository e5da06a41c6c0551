import { expect, test } from 'vitest'
import { checkModel } from '../../../../daemon/translate/model-request.ts'

// Google's API has the model in the path: "google/cheap/../dear" would be another model than a key for "google/cheap*" may use
test.each(['..', 'go/..', 'go/../x', '../x', 'go/cheap/../../v1/dear', './x', 'x/.'])(
  '%s leads to another path',
  (model) => {
    expect(() => checkModel(model)).toThrow('"." or ".."')
  },
)

test.each(['gpt-4.1', 'x/y..z', '...', 'a/.b', 'hf.co/a/b:Q4_K_M', 'a/b../c'])('%s is a name', (model) => {
  expect(checkModel(model)).toBe(model)
})
