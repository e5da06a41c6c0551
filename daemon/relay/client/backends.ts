import type { ServerHttp2Stream } from 'node:http2'
import type { RelayBackend } from '../../../schemas/config/relay-backend.ts'
import type { Log } from '../../../schemas/words/log.ts'
import { codeOf } from '../../../system/error-code.ts'
import { knock, passOn } from './passage.ts'
import type { Visit } from './visit.ts'

export type Backends = ReturnType<typeof createBackends>

const WARN_EVERY_MS = 60_000

/** Local servers that visitors of some names are passed on to. @param now monotonic milliseconds */
export function createBackends(now: () => number, log: Log) {
  let all: readonly RelayBackend[] = []
  let byName: ReadonlyMap<string, RelayBackend> = new Map()
  let warnedAtMs: ReadonlyMap<string, number> = new Map()

  function warn(address: string, error: unknown): void {
    if (now() - (warnedAtMs.get(address) ?? Number.NEGATIVE_INFINITY) < WARN_EVERY_MS) return
    warnedAtMs = new Map(
      all.map(({ address: each }) => [each, each === address ? now() : (warnedAtMs.get(each) ?? -WARN_EVERY_MS)]),
    )
    log('warn', 'a backend of relayed names does not answer', { upstream: address, error: codeOf(error) })
  }

  return {
    apply(next: readonly RelayBackend[]): void {
      all = next
      byName = new Map(next.flatMap((backend) => backend.names.map((name) => [name, backend] as const)).toReversed())
    },
    /** undefined: visitors of that name are the gateway's. */
    of: (name: string): RelayBackend | undefined => byName.get(name),
    names: (): readonly string[] => [...byName.keys()],
    /** Never rejects. */
    async pass(stream: ServerHttp2Stream, visit: Visit, backend: RelayBackend): Promise<void> {
      try {
        await passOn(stream, visit, backend)
      } catch (error) {
        warn(backend.address, error)
      }
    },
    /** Each, and why it does not answer now; `error` undefined: it does. */
    look(): Promise<readonly (RelayBackend & { readonly error: string | undefined })[]> {
      return Promise.all(
        all.map(async (backend) => ({
          ...backend,
          error: await knock(backend).then(
            () => undefined,
            (error: unknown) => (error instanceof Error ? error.message : String(error)),
          ),
        })),
      )
    },
  }
}
