import type { BackendInfo } from '../../../schemas/admin.ts'
import type { LiveEvent } from '../../../schemas/api/events.ts'
import type { HostLoad } from '../../../schemas/api/system.ts'
import type { Log } from '../../../schemas/words/log.ts'
import { guarded, inBackground } from '../../../system/background.ts'
import type { Principal } from '../../auth/principal.ts'
import { AdminError } from '../error.ts'
import { createFollowers } from '../followers.ts'
import { createOwnUsage, type Of, ownerOf, type Used } from '../own-usage.ts'
import { stream } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { queuesOf } from './system.ts'

export type EventParts = {
  readonly backends: { list(): readonly BackendInfo[] }
  readonly hostLoad: () => Promise<HostLoad>
  readonly log: Log
  readonly openRequests: {
    readonly count: () => number
    /** Counted once: those of a person, or of a key that is no person's. */
    readonly counts: () => (principal: Principal) => number
  }
  /** What was used. @throws Error why it cannot be read */
  readonly usage: Parameters<typeof createOwnUsage>[0]
  /** Unix milliseconds. */
  readonly now: () => number
}

const INTERVAL_MS = 2_000
const MOST_FOLLOWERS = 256
const MOST_PER_USER = 8
const LARGEST_BACKLOG_BYTES = 64 * 2 ** 10
/** A minute: who was away for less gets what it missed. */
const MOST_REMEMBERED = 30

/** What is the same for all followers at one moment. */
type Moment = {
  readonly id: number
  readonly at: string
  readonly all: number
  readonly host: HostLoad
  readonly queues: ReturnType<typeof queuesOf>
}
type Follower = { readonly principal: Principal; readonly push: (text: string) => void }

/** Live figures as server-sent events: of everything for admins, of their own for other users. */
export function eventRoutes(parts: EventParts): readonly ApiRoute[] {
  const followers = createFollowers(MOST_FOLLOWERS, LARGEST_BACKLOG_BYTES)
  const following = new Set<Follower>()
  const ownUsage = createOwnUsage(parts.usage, parts.now)
  let remembered: readonly Moment[] = []
  let timer: NodeJS.Timeout | null = null
  let isLooking = false
  /** Ids go on over a restart, so that a client that comes back is not taken for one from the future. */
  let latest = 0

  async function look(): Promise<void> {
    if (isLooking) return // the disk is slow: one look less
    isLooking = true
    try {
      const host = await parts.hostLoad()
      latest = Math.max(latest + 1, Math.floor(parts.now() / INTERVAL_MS))
      const at = new Date(parts.now()).toISOString()
      const moment = { id: latest, at, all: parts.openRequests.count(), host, queues: queuesOf(parts.backends.list()) }
      remembered = [...remembered, moment].slice(-MOST_REMEMBERED)
      const countOf = parts.openRequests.counts()
      for (const { principal, push } of following) push(textFor(principal, moment, countOf(principal)))
      inBackground(parts.log, 'what is used could not be read', () =>
        ownUsage.look(Array.from(following, ({ principal }) => ownerOf(principal))),
      )
    } finally {
      isLooking = false
    }
  }

  const lookNow = guarded(parts.log, 'the live figures could not be read', look)

  const textFor = (principal: Principal, moment: Moment, own: number): string =>
    textOf(moment.id, viewOf(moment, principal, own, ownUsage.of(ownerOf(principal))))

  function source(principal: Principal) {
    return (push: (text: string) => void) => {
      const follower = { principal, push }
      following.add(follower)
      timer ??= setInterval(lookNow, INTERVAL_MS).unref()
      lookNow()
      return () => {
        following.delete(follower)
        if (following.size > 0 || timer === null) return
        clearInterval(timer)
        timer = null
      }
    }
  }

  return [
    apiRoute({
      method: 'GET',
      path: '/api/user/events',
      scope: 'signed-in',
      summary: 'Sends live figures every two seconds as server-sent events; Last-Event-ID gets what was missed',
      answer: 'stream',
      handle: ({ principal, headers, signal }) => {
        const own = [...following].filter((one) => isSame(ownerOf(one.principal), ownerOf(principal))).length
        if (followers.isFull() || own >= MOST_PER_USER) {
          const detail = `${own} streams of ${principal.name} already follow the figures, and ${followers.count()} of all`
          throw new AdminError('TOO_MANY_FOLLOWERS', detail, { hint: 'close one of them' })
        }
        const seen = Number(/^\d{1,15}$/.exec(String(headers['last-event-id'] ?? ''))?.[0] ?? Number.NaN)
        const oldest = parts.now() - MOST_REMEMBERED * INTERVAL_MS
        const recent = remembered.filter(({ at }) => Date.parse(at) >= oldest)
        const open = parts.openRequests.counts()(principal)
        const missed = recent.filter(({ id }) => id > seen).map((moment) => textFor(principal, moment, open))
        return stream(
          'text/event-stream',
          followers.follow([`retry: ${INTERVAL_MS}\n\n`, ...missed], source(principal), signal),
        )
      },
    }),
  ]
}

const isSame = (a: Of, b: Of): boolean => JSON.stringify(a) === JSON.stringify(b)

/** JSON holds no line breaks, so an event is one line of data. @see https://html.spec.whatwg.org/#server-sent-events */
const textOf = (id: number, view: LiveEvent): string => `id: ${id}\nevent: metrics\ndata: ${JSON.stringify(view)}\n\n`

function viewOf({ at, all, host, queues }: Moment, { scopes }: Principal, own: number, used: Used | null): LiveEvent {
  if (!scopes.has('admin')) return { view: 'user', at, requests: { own }, used }
  return { view: 'admin', at, requests: { own, all }, used, host, queues }
}
