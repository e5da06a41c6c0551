import { argon2Sync } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import type { HashJob } from './hash-thread.ts'

/** Of a thread beside which others should not notice it: it gets a tenth of a processor that both want. */
const NICE = 10

// Computes one hash after the other, as a thread of the daemon.
try {
  // Linux has a priority for each thread; the link is "PID/task/ID" of the thread that reads it
  setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), NICE)
} catch {
  // where a unit forbids it, or there is no /proc, hashes take their time from requests
}
parentPort?.on('message', ({ password, salt, cost, bytes }: HashJob) => {
  const { lanes: parallelism, memoryKib: memory, passes } = cost
  const options = { message: password, nonce: salt, parallelism, tagLength: bytes, memory, passes }
  parentPort?.postMessage(argon2Sync('argon2id', options))
})
