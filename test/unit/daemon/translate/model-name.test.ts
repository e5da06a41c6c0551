import { expect, test } from 'vitest'
import { checkModel } from '../../../../daemon/translate/model-name.ts'

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

// such a name cannot be in a path, which Google's API has it in
test.each(['\ud800', 'a/\udc00b', '\udc00\ud800'])('half of a surrogate pair is refused: %j', (model) => {
  expect(() => checkModel(model)).toThrow('surrogate')
})

test('a surrogate pair is a character like any other', () => {
  expect(checkModel('\ud83d\ude00')).toBe('😀')
})
