import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { createAdmission } from '../../../../daemon/admit/admission.ts'

const MAX_BUFFERED = 1_000

/** A request with a body of that length. */
const withBody = (bytes: number) =>
  Object.assign(new PassThrough(), { headers: {}, complete: true }).end(
    Buffer.alloc(bytes),
  ) as unknown as IncomingMessage

test('A4: bodies leave room for answers; answers have a bound as well, and a release gives all of it back', async () => {
  const admission = createAdmission({ maxConcurrent: 9, maxBodyBytes: 1_000, maxBufferedBytes: MAX_BUFFERED })
  const [uploads, waits, other] = [admission.admit(), admission.admit(), admission.admit()]
  await uploads.readBody(withBody(MAX_BUFFERED))
  await expect(other.readBody(withBody(1))).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' })
  waits.holdAnswer(MAX_BUFFERED / 4)
  expect(() => waits.holdAnswer(1)).toThrow(/server.max_buffered/)
  expect(admission.bufferedBytes()).toBe(1.25 * MAX_BUFFERED)
  uploads.release()
  await expect(other.readBody(withBody(MAX_BUFFERED))).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' })
  waits.release()
  other.release()
  waits.holdAnswer(1) // a decoder may have had more
  expect([admission.bufferedBytes(), admission.inFlight()]).toEqual([0, 0])
})
