import { expect, test } from 'vitest'
import { GLOBAL_OPTIONS } from '../../../ctl/command.ts'
import { COMMANDS } from '../../../ctl/command-table.ts'
import { SCOPES } from '../../../schemas/words/scopes.ts'

test('an option has one meaning wherever it is: the scripts know options, not the commands they belong to', () => {
  const all = [GLOBAL_OPTIONS, ...COMMANDS.map((command) => command.options)].flatMap((options) =>
    Object.entries(options),
  )
  for (const [name, option] of all) {
    const [, first] = all.find(([other]) => other === name) ?? []
    expect([name, option.type, option.short, option.complete]).toEqual([
      name,
      first?.type,
      first?.short,
      first?.complete,
    ])
  }
})

test('the scopes that completion offers are all there are', () => {
  const create = COMMANDS.find((command) => command.name === 'token create')
  expect(create?.options['scopes']?.complete).toEqual(SCOPES)
})
