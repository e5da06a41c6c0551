import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { UsageRow } from '../../../daemon/meter/usage.ts'
import { type Database, openDatabase } from '../../../store/sqlite/database.ts'
import { lockState } from '../../../store/sqlite/state-lock.ts'
import { USAGE_FIELDS, valuesOf } from '../../../store/usage-columns.ts'
import type { Importer } from '../../../store/usage-journal/importer.ts'
import { openUsageJournal, type UsageJournal } from '../../../store/usage-journal/journal.ts'
import type { JournalFile } from '../../../store/usage-journal/journal-files.ts'
import { rowOfLine, usageLine } from '../../../store/usage-journal/line.ts'
import { until } from '../../support/daemon.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { usageRow } from '../../support/usage-row.ts'

let place: ReturnType<typeof temporaryDirectory>
let database: Database
let logged: string[]
let opened: UsageJournal[]
beforeEach(() => {
  place = temporaryDirectory()
  database = openDatabase(place.file('gate.db'))
  logged = []
  opened = []
})
afterEach(async () => {
  for (const journal of opened) await journal.close()
  database.close()
  place.remove()
})

const row = (requestId: string, more: Partial<UsageRow> = {}): UsageRow =>
  usageRow({
    requestId,
    startedAt: 5,
    outputTokens: 2,
    cachedTokens: 3,
    reasoningTokens: 4,
    estimated: true,
    costMicrodollars: 6,
    durationMs: 7,
    ...more,
  })
function open(parts?: { readonly importer?: Importer; readonly file?: JournalFile }): UsageJournal {
  const journal = openUsageJournal(place.file('gate.db'), (_level, message) => logged.push(message), parts)
  opened.push(journal)
  return journal
}
const files = () => readdirSync(place.path).filter((name) => name.startsWith('gate.db-usage-'))
const ids = () => database.prepare('SELECT request_id FROM usage ORDER BY 1').pluck().all()
/** Imports nothing, as if the daemon were killed before. */
const noImporter = (): Importer => ({
  run: () => Promise.reject(new Error('killed')),
  keepUp: () => Promise.resolve(false),
  close: () => Promise.resolve(),
})

test('a row is in its file, mode 0600, when append returns; after importNow it is in the table and the file is gone', async () => {
  const journal = open()
  journal.append([row('a'), row('b')])
  const [file = ''] = files()
  expect(readFileSync(place.file(file), 'utf8')).toBe(usageLine(row('a')) + usageLine(row('b')))
  expect(statSync(place.file(file)).mode & 0o777).toBe(0o600)
  await journal.importNow()
  expect(files()).toEqual([])
  expect(database.prepare('SELECT * FROM usage WHERE request_id = ?').raw().get('a')).toEqual([
    ...['a', 1, 5, 'k', 'm', 'u', 't', 200, 'ok', 1, 2, 3, 4, 1, 6, 7, null, 0, 0, '', '', '', '', '', '', 1],
  ])
})

test('imports by itself, also a second time', async () => {
  const journal = open()
  journal.append([row('a')])
  await until(() => ids().length === 1)
  journal.append([row('b')])
  await until(() => ids().length === 2)
})

test('imports what a killed daemon left: twice where the kill came before the deletion, without the torn last line', async () => {
  const killed = open({ importer: noImporter() })
  killed.append([row('a'), row('b')])
  const [file = ''] = files()
  copyFileSync(place.file(file), place.file('gate.db-usage-1-1'))
  appendFileSync(place.file(file), usageLine(row('torn')).slice(0, 30))
  await open().importNow()
  expect(ids()).toEqual(['a', 'b'])
  expect(files()).toEqual([])
  expect(logged).not.toContain('damaged lines of the usage journal were set aside')
})

test.each([
  ['no JSON', 'garbage'],
  ['no array', '{"requestId":"x"}'],
  ['too short', '["x",1]'],
  ['a wrong kind', usageLine(row('x')).replace('200', '"200"').trimEnd()],
  ['a fraction, which the table refuses', usageLine(row('x', { status: 1.5 })).trimEnd()],
])('a damaged line (%s) is set aside, and its neighbours are imported', async (_what, line) => {
  place.write('gate.db-usage-1-1', `${usageLine(row('a'))}${line}\n${usageLine(row('b'))}`)
  await open().importNow()
  expect(ids()).toEqual(['a', 'b'])
  expect(files()).toEqual(['gate.db-usage-damaged'])
  expect(place.read('gate.db-usage-damaged')).toBe(`${line}\n`)
  expect(logged).toEqual(['damaged lines of the usage journal were set aside'])
})

test('short writes are finished; a full disk leaves no half line, even where it cannot be cut off', async () => {
  let room = Number.POSITIVE_INFINITY
  let canTruncate = true
  const file = {
    write: (fd: number, bytes: Buffer, at: number) => {
      if (room <= 0) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
      const length = Math.min(10, bytes.length - at, room)
      room -= length
      return writeSync(fd, bytes, at, length)
    },
    truncate: (fd: number, length: number) => {
      if (!canTruncate) throw new Error('EIO')
      ftruncateSync(fd, length)
    },
  } as unknown as JournalFile
  const journal = open({ file })
  journal.append([row('a')])
  for (const allowed of [true, false]) {
    canTruncate = allowed
    room = 25
    expect(() => journal.append([row(`full-${allowed}`)])).toThrow('ENOSPC')
    room = Number.POSITIVE_INFINITY
    journal.append([row(`later-${allowed}`)])
  }
  await journal.importNow()
  expect(ids()).toEqual(['a', 'later-false', 'later-true'])
})

test('while the database is locked rows wait in two files at most, and appending goes on', async () => {
  const journal = open()
  database.exec('BEGIN IMMEDIATE')
  for (const id of ['a', 'b', 'c']) {
    journal.append([row(id)])
    await expect(journal.importNow()).rejects.toThrow('locked')
  }
  expect(journal.lastError()).toMatch(/locked/)
  expect(files().length).toBe(2)
  database.exec('COMMIT')
  await journal.importNow()
  expect(ids()).toEqual(['a', 'b', 'c'])
  expect(journal.lastError()).toBe(null)
  expect(logged).toEqual(['cannot import usage rows; they wait in the journal', 'usage rows reach the database again'])
})

test.each<{ name: string; harm: () => void; says: RegExp; isDamaged: boolean }>([
  {
    name: 'whose pages are overwritten',
    harm: () => {
      database.pragma('wal_checkpoint(TRUNCATE)')
      const size = statSync(place.file('gate.db')).size
      const fd = openSync(place.file('gate.db'), 'r+')
      writeSync(fd, Buffer.alloc(size - 4096, 0xff), 0, size - 4096, 4096)
      closeSync(fd)
    },
    says: /malformed; stop gate-daemon, then restore/,
    isDamaged: true,
  },
  {
    name: 'that was deleted',
    harm: () => rmSync(place.file('gate.db')),
    says: /moved or deleted while it was in use; stop gate-daemon, then restore/,
    isDamaged: true,
  },
  {
    name: 'that another has taken the place of',
    harm: () => {
      copyFileSync(place.file('gate.db'), place.file('other'))
      renameSync(place.file('other'), place.file('gate.db'))
    },
    says: /moved or deleted/,
    isDamaged: true,
  },
  { name: 'that is locked', harm: () => void database.exec('BEGIN IMMEDIATE'), says: /locked/, isDamaged: false },
  {
    name: 'of a newer version',
    harm: () => void database.pragma('user_version = 99'),
    says: /newer/,
    isDamaged: false,
  },
])(
  'a database $name: rows wait in the journal, and damage is told from what passes',
  async ({ name, harm, says, isDamaged }) => {
    const journal = open()
    if (name !== 'of a newer version') {
      journal.append([row('before')])
      await journal.importNow()
    }
    harm()
    journal.append([row('a')])
    await expect(journal.importNow()).rejects.toThrow(says)
    expect([journal.isDamaged(), journal.lastError()]).toEqual([isDamaged, expect.stringMatching(says)])
    expect(
      files()
        .map((file) => place.read(file))
        .join(''),
    ).toBe(usageLine(row('a')))
    if (name === 'that was deleted') expect(existsSync(place.file('gate.db'))).toBe(false) // none is made in its place
  },
)

test('a worker that cannot start is replaced by the next run', async () => {
  const journal = open()
  database.pragma('user_version = 99')
  journal.append([row('a')])
  await expect(journal.importNow()).rejects.toThrow('newer version of Gate')
  database.pragma('user_version = 1')
  await journal.importNow()
  expect(ids()).toEqual(['a'])
})

test('close imports what is left', async () => {
  const journal = open()
  journal.append([row('a')])
  await journal.close()
  expect(ids()).toEqual(['a'])
})

test('the values of a row come in the order of its fields', () => {
  const numbered = Object.fromEntries(USAGE_FIELDS.map((field, at) => [field, at])) as unknown as UsageRow
  expect(valuesOf(numbered)).toEqual(USAGE_FIELDS.map((_, at) => at))
})

test('any row survives its line', () => {
  const text = fc.string({ unit: 'binary' }).filter((s) => s.isWellFormed())
  fc.assert(
    fc.property(text, text, fc.nat(), fc.option(fc.nat()), (requestId, model, durationMs, ttftMs) => {
      const one = row(requestId, { model, durationMs, ttftMs })
      const line = usageLine(one)
      expect(line.indexOf('\n')).toBe(line.length - 1)
      expect(rowOfLine(line.slice(0, -1))).toEqual(one)
    }),
  )
})

test('a line that an older version wrote, without the last fields, is a row', () => {
  const one = row('a', { cacheWriteTokens: 0, unpriced: false, endUser: '' })
  const values = JSON.parse(usageLine(one)) as unknown[]
  for (const missing of [1, 2, 3, 4, 5, 6, 7, 8]) {
    expect(rowOfLine(JSON.stringify(values.slice(0, -missing)))).toEqual(one)
  }
  expect(rowOfLine(JSON.stringify(values.slice(0, -9)))).toBeNull()
  expect(rowOfLine(JSON.stringify([...values, 0]))).toBeNull()
})

test('A8: a state directory belongs to one process at a time', () => {
  const unlock = lockState(place.path)
  expect(() => lockState(place.path)).toThrow(/in use; stop the gate-daemon/)
  unlock()
  lockState(place.path)()
  expect(statSync(place.file('gate.lock')).mode & 0o777).toBe(0o600)
})

test('what was going on at a kill is imported at the next start, unless it ended; a good end leaves nothing', async () => {
  const killed = open({ importer: noImporter() })
  const going = (id: string, outputTokens: number) => row(id, { outcome: 'interrupted', outputTokens })
  killed.noteOpen([going('a', 1), going('b', 1)])
  killed.noteOpen([going('a', 5), going('b', 5), going('c', 1)])
  killed.append([row('b', { outputTokens: 9 })])
  expect(files().filter((name) => name.includes('-open-'))).toHaveLength(1)
  await open().importNow()
  const rows = database.prepare('SELECT request_id, outcome, output_tokens FROM usage ORDER BY 1').raw().all()
  expect(rows).toEqual([
    ['a', 'interrupted', 5],
    ['b', 'ok', 9],
    ['c', 'interrupted', 1],
  ])
  expect(files()).toEqual([])
  expect(logged.filter((message) => message.startsWith('Gate was killed'))).toHaveLength(1)
  const good = open()
  good.noteOpen([going('d', 1)])
  good.noteOpen([])
  expect(files()).toEqual([])
  good.noteOpen([going('e', 1)])
  await good.close()
  expect(files()).toEqual([])
})
