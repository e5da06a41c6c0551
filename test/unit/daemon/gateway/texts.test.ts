import { afterEach, expect, test } from 'vitest'
import { openAnswers } from '../../../../daemon/assembly/answers.ts'
import { createTexts, type KeptText, TEXT_OWNER } from '../../../../daemon/gateway/texts.ts'
import { GateError } from '../../../../schemas/words/errors.ts'
import { until } from '../../../support/daemon.ts'
import { keyringOf } from '../../../support/keyring.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

type Begun = Parameters<ReturnType<typeof createTexts>['begin']>[0]

/** A request as far as texts look at it. */
function job({ model = 'm', pinned, hold = () => {} }: { model?: string; pinned?: string; hold?: Begun['hold'] } = {}) {
  const answer = {
    requestId: 'r1',
    progress: { keyName: 'name', principal: null },
    tap: null as { feed: (chunk: Buffer) => void } | null,
  }
  const allowed = pinned === undefined ? null : { pinned }
  const made = { answer, keyId: 'k', call: { body: Buffer.from('the prompt') }, asked: { model }, allowed, hold }
  return { answer, begun: made as unknown as Begun }
}

const OF_MODEL = { keys: new Set<string>(), models: new Set(['m']) }

test('texts are written by a thread, sealed, and counted among what is kept for requests', async () => {
  const place = temporaryDirectory()
  const answers = openAnswers(
    place.path,
    keyringOf(place.path),
    () => {},
    () => 0,
  )
  closing.push(place.remove, answers.close)
  const texts = createTexts(
    answers.texts,
    () => {},
    () => 5,
    OF_MODEL,
  )
  let held = 0
  const { answer, begun } = job({
    hold(bytes) {
      held += bytes
    },
  })
  const end = texts.begin(begun)
  answer.tap?.feed(Buffer.from('an ans'))
  answer.tap?.feed(Buffer.from('wer'))
  end?.()
  expect(held).toBe(9)
  const text = JSON.parse(answers.texts.get(TEXT_OWNER, 'r1', 0) ?? '') as KeptText
  expect(text).toMatchObject({ model: 'm', prompt: 'the prompt', answer: 'an answer', cut_bytes: 0 })
  expect(place.read('texts.db')).not.toContain('the prompt')
  await until(() => {
    answers.texts.trim(6, 0)
    return answers.texts.get(TEXT_OWNER, 'r1', 0) === null
  })
})

test('what waits is written when the store is closed', async () => {
  const place = temporaryDirectory()
  closing.push(place.remove)
  const open = () =>
    openAnswers(
      place.path,
      keyringOf(place.path),
      () => {},
      () => 0,
    )
  const before = open()
  for (let n = 0; n < 20; n += 1) before.texts.put(TEXT_OWNER, `r${n}`, 1, 'x'.repeat(100_000))
  await before.close()
  const after = open()
  closing.push(after.close)
  expect(after.texts.get(TEXT_OWNER, 'r19', 0)).toHaveLength(100_000)
})

test('where too much is kept of all requests, no more of an answer is, and the answer goes on', () => {
  const kept: KeptText[] = []
  const put = (_: string, __: string, ___: number, text: string) => void kept.push(JSON.parse(text) as KeptText)
  const texts = createTexts(
    { put },
    () => {},
    () => 5,
    OF_MODEL,
  )
  const hold = (bytes: number) => {
    if (bytes > 3) throw new GateError('TOO_MANY_REQUESTS', 'too much')
  }
  const { answer, begun } = job({ hold })
  const end = texts.begin(begun)
  for (const part of ['abc', 'defg', 'hi']) answer.tap?.feed(Buffer.from(part))
  end?.()
  expect(kept).toMatchObject([{ answer: 'abc', cut_bytes: 6 }])
})

test('a pinned key goes by the model that it is pinned to', () => {
  const texts = createTexts(
    { put: () => {} },
    () => {},
    () => 5,
    OF_MODEL,
  )
  expect(texts.begin(job({ model: 'm', pinned: 'other' }).begun)).toBeNull()
  expect(texts.begin(job({ model: 'other', pinned: 'm' }).begun)).not.toBeNull()
})
