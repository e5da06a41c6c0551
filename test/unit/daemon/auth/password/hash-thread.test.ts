import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createHashThread } from '../../../../../daemon/auth/password/hash-thread.ts'
import { USUAL_COST } from '../../../../../daemon/auth/password/hasher.ts'

const job = { password: Buffer.from('a password'), salt: Buffer.alloc(16, 1), cost: USUAL_COST, bytes: 32 }

/** Of the threads of this process; the nineteenth field. @see proc_pid_stat(5) */
const priorities = () =>
  readdirSync('/proc/self/task').map((id) =>
    Number(readFileSync(`/proc/self/task/${id}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[16]),
  )

test('computes one hash after the other, at a low priority that the process does not have', async () => {
  const thread = createHashThread()
  const first = thread.tagOf(job)
  expect(thread.isBusy()).toBe(true)
  const tag = await first
  expect([tag.length, thread.isBusy()]).toEqual([32, false])
  expect(await thread.tagOf(job)).toEqual(tag)
  expect(await thread.tagOf({ ...job, salt: Buffer.alloc(16, 2) })).not.toEqual(tag)
  const [own = 0, ...others] = priorities()
  expect(others).toContain(Math.max(10, own))
})

test('what it cannot compute is an error, and the next hash has a new thread', async () => {
  const thread = createHashThread()
  await expect(thread.tagOf({ ...job, salt: Buffer.alloc(0) })).rejects.toThrow()
  expect(thread.isBusy()).toBe(false)
  expect(await thread.tagOf(job)).toHaveLength(32)
})
