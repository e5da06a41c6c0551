import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { COMPILE_CACHE } from './daemon.ts'
import { inNetns } from './netns.ts'

type Verbs = Readonly<Record<string, (...args: never[]) => unknown>>
type Call = { readonly id: number; readonly verb: string; readonly args: unknown[] }
type Answer = { readonly id: number; readonly value?: unknown; readonly error?: string }

/** A process of this folder in a network namespace, whose verbs are called as functions. */
export type CalledChild<V extends Verbs> = {
  readonly process: ChildProcess
  /** @throws Error with the words of the child's error */
  readonly call: <K extends keyof V & string>(verb: K, ...args: Parameters<V[K]>) => Promise<Awaited<ReturnType<V[K]>>>
  readonly stop: () => Promise<void>
}

/** @param file of this folder; it calls serveCalls @param deadlineMs of each call */
export function startCalledChild<V extends Verbs>(file: string, netns: string, deadlineMs = 10_000): CalledChild<V> {
  const [program, before] = inNetns(netns, process.execPath)
  const child = spawn(program, [...before, join(import.meta.dirname, file)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: COMPILE_CACHE },
  })
  const waiting = new Map<number, (answer: Answer) => void>()
  let calls = 0
  child.on('message', (answer: Answer) => {
    waiting.get(answer.id)?.(answer)
  })
  child.once('exit', () => {
    for (const [id, conclude] of waiting) conclude({ id, error: `${file} has ended` })
  })
  return {
    process: child,
    async call(verb, ...args) {
      const id = ++calls
      const error = `${verb} has no answer after ${deadlineMs} ms`
      const { promise, resolve } = Promise.withResolvers<Answer>()
      const timer = setTimeout(() => resolve({ id, error }), deadlineMs)
      waiting.set(id, resolve)
      child.send({ id, verb, args } satisfies Call)
      const answer = await promise
      clearTimeout(timer)
      waiting.delete(id)
      if (answer.error !== undefined) throw new Error(answer.error)
      return answer.value as never
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** In the child: does what its parent asks for. */
export function serveCalls(verbs: Verbs): void {
  process.on('message', ({ id, verb, args }: Call) => {
    void Promise.resolve()
      .then(() => verbs[verb]?.(...(args as never[])))
      .then(
        (value) => process.send?.({ id, value } satisfies Answer),
        (error: unknown) => process.send?.({ id, error: String(error) } satisfies Answer),
      )
  })
  process.once('disconnect', () => process.exit())
}
