import { expect, test } from 'vitest'
import { heedLimits } from '../../../../../daemon/relay/dns/heed-limits.ts'
import type { Answered } from '../../../../../pki/acme/request.ts'

const never = new AbortController().signal

/** A provider that gives these answers in turn, then 200; pauses take no time. @returns when it was asked, in seconds */
function provider(answers: readonly { readonly status: number; readonly retryAfter?: string }[]) {
  const clock = { nowMs: 1_000_000_000 }
  const begunMs = clock.nowMs
  const asked: number[] = []
  const send = heedLimits(
    async (): Promise<Answered> => {
      const { status, retryAfter } = answers[asked.length] ?? { status: 200 }
      asked.push((clock.nowMs - begunMs) / 1_000)
      return { status, headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter }, text: '' }
    },
    {
      now: () => clock.nowMs,
      async wait(ms) {
        clock.nowMs += ms
      },
    },
  )
  return { clock, asked, send: () => send({ method: 'GET', url: 'http://localhost/' }, never) }
}

test.each([
  { what: '429 without a time', answers: [{ status: 429 }], at: [0, 1] },
  { what: '429 with a time', answers: [{ status: 429, retryAfter: '7' }], at: [0, 7] },
  { what: '500 again and again', answers: [{ status: 500 }, { status: 502 }], at: [0, 1, 3] },
  { what: '503 with a time', answers: [{ status: 503, retryAfter: '5' }], at: [0, 5] },
])('$what: asked again when it is time', async ({ answers, at }) => {
  const { asked, send } = provider(answers)
  expect((await send()).status).toBe(200)
  expect(asked).toEqual(at)
})

test('an error of the request is not asked again, and one that stays is answered after four tries', async () => {
  const wrong = provider([{ status: 400 }])
  expect((await wrong.send()).status).toBe(400)
  expect(wrong.asked).toEqual([0])
  const broken = provider(Array.from({ length: 9 }, () => ({ status: 500 })))
  expect((await broken.send()).status).toBe(500)
  expect(broken.asked).toEqual([0, 1, 3, 7])
})

test('a long rest is an error for all at once, and is over when it is over', async () => {
  const { clock, asked, send } = provider([{ status: 429, retryAfter: '300' }])
  await expect(send()).rejects.toThrow('the DNS provider takes no requests for 300 s')
  await expect(send()).rejects.toThrow('takes no requests')
  clock.nowMs += 286_000
  expect((await send()).status).toBe(200)
  expect(asked).toEqual([0, 300])
})
