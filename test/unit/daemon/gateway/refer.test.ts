import { expect, test } from 'vitest'
import type { KeyObjects } from '../../../../daemon/gateway/objects/job.ts'
import { withFiles } from '../../../../daemon/gateway/objects/refer.ts'
import { ANYWHERE } from '../../../../daemon/route/choice.ts'

const known: Pick<KeyObjects, 'upstreamOf' | 'isAnothers'> = {
  upstreamOf: (id) => (id === 'file-x' ? 'x' : null),
  isAnothers: () => false,
}

test.each([
  { name: 'anywhere', only: null, files: ['file-x'], goes: ['x'] },
  { name: 'there and elsewhere', only: ['y', 'x'], files: ['file-x'], goes: ['x'] },
  { name: 'only elsewhere', only: ['y'], files: ['file-x'], goes: [] },
  { name: 'only elsewhere, with a file that Gate does not know', only: ['y'], files: ['file-z'], goes: ['y'] },
])('a request that may go $name goes to the keeper of its files or nowhere', ({ only, files, goes }) => {
  expect(withFiles({ ...ANYWHERE, only }, files, known).only).toEqual(goes)
})
