import { type Checked, type Checks, isJsonDue } from './checks.ts'
import { parsedRecord } from './json-value.ts'
import type { NeutralEvent, PartStart } from './neutral.ts'
import { TranslatedWatch } from './translated-watch.ts'

const NOTHING = Buffer.alloc(0)
/** So much of a part is held before the client is told that it has begun: until then another target can take over. */
const SHOWN_CHARACTERS = 1_024
/** After so much more it is told that it goes on: some clients give up on a stream without events. */
const SIGN_CHARACTERS = 512
const MAX_HELD_CHARACTERS = 4 * 2 ** 20

type Held = { readonly start: PartStart; text: string; isShown: boolean; signs: number; hasEnded: boolean }

/**
 * Reads a stream and shows it in another dialect, but for what is to be JSON: that is held until it is complete and has
 * been checked.
 */
export class CheckedWatch extends TranslatedWatch {
  readonly #checks: Checks
  readonly #queue: NeutralEvent[] = []
  #held: Held | null = null
  #checking: Promise<Buffer> | null = null

  constructor(checks: Checks, ...rest: ConstructorParameters<typeof TranslatedWatch>) {
    super(...rest)
    this.#checks = checks
  }

  override feed(chunk: Buffer): Buffer {
    const events = this.reader.feed(chunk)
    const isIdle = this.#held === null && this.#checking === null
    if (isIdle && !events.some((event) => this.#isDue(event))) return this.show(events) // as nearly all are
    this.#queue.push(...events)
    return this.#advance()
  }

  override rest(): Buffer {
    if (this.hasSaidEnd || this.failureMessage !== null) return NOTHING
    this.#queue.push(...this.reader.end())
    return this.#advance()
  }

  /** What is shown once what is held has been checked; null: nothing is being checked. */
  later(): Promise<Buffer> | null {
    return this.#checking
  }

  #advance(): Buffer {
    const shown: Buffer[] = []
    for (let event = this.#queue[0]; event !== undefined && this.#checking === null; event = this.#queue[0]) {
      const held = this.#held
      if (held?.hasEnded === true) {
        // what follows is known now, which says whether the limit has cut it
        const checked = this.#check(held, event)
        if (checked instanceof Promise) this.#checking = checked.then((events) => this.#goOn(events))
        else shown.push(this.#release(checked))
        continue
      }
      this.#queue.shift()
      shown.push(held === null ? this.#begin(event) : this.#hold(held, event))
    }
    return Buffer.concat(shown)
  }

  #goOn(events: readonly NeutralEvent[]): Buffer {
    this.#checking = null
    return Buffer.concat([this.#release(events), this.#advance()])
  }

  #begin(event: NeutralEvent): Buffer {
    if (!this.#isDue(event)) return this.show([event])
    this.#held = { start: event.part, text: '', isShown: false, signs: 0, hasEnded: false }
    return NOTHING
  }

  /** Whether it begins what is to be JSON. */
  #isDue(event: NeutralEvent): event is Extract<NeutralEvent, { readonly kind: 'part' }> {
    if (event.kind !== 'part') return false
    const { call, answer } = this.#checks
    return (event.part.kind === 'call' && call !== null) || (event.part.kind === 'text' && answer !== null)
  }

  #hold(held: Held, event: NeutralEvent): Buffer {
    switch (event.kind) {
      case 'more':
        held.text += event.text
        this.contentFrameCount += 1
        if (held.text.length > MAX_HELD_CHARACTERS) {
          return this.show([{ kind: 'error', message: 'the upstream sent a part of its answer that is too long' }])
        }
        return this.#sign(held)
      case 'part-end':
        held.hasEnded = true
        return NOTHING
      case 'citation': // what is JSON rests on nothing
        return NOTHING
      default:
        return this.show([event])
    }
  }

  /** Tells the client that something comes, once it is long. */
  #sign(held: Held): Buffer {
    if (this.#checks.hasWholeCalls === true && held.start.kind === 'call') return NOTHING
    const due = Math.floor((held.text.length - SHOWN_CHARACTERS) / SIGN_CHARACTERS)
    if (due < held.signs) return NOTHING
    const start: NeutralEvent[] = held.isShown ? [] : [{ kind: 'part', part: held.start }]
    held.isShown = true
    held.signs = due + 1
    return this.#showUncounted([...start, { kind: 'more', text: '' }])
  }

  /** @returns what is shown in place of what is held */
  #check(held: Held, next: NeutralEvent): readonly NeutralEvent[] | Promise<readonly NeutralEvent[]> {
    const { start, text } = held
    const { call, answer } = this.#checks
    if (next.kind === 'error') return []
    if (start.kind !== 'call') {
      const isDue = answer !== null && next.kind === 'end' && isJsonDue(next.finish)
      return isDue ? judged(answer(text, ''), held) : whole(held, text)
    }
    // a call that the limit has cut is left out, as it is of an answer that is no stream
    const isCut = next.kind === 'end' && next.finish === 'length' && parsedRecord(text) === null
    if (isCut || call === null) return isCut && !held.isShown ? [] : whole(held, text)
    return judged(call(text, start.name), held)
  }

  #release(events: readonly NeutralEvent[]): Buffer {
    this.#held = null
    return this.#showUncounted(events)
  }

  /** Shows what was counted as it came. */
  #showUncounted(events: readonly NeutralEvent[]): Buffer {
    const frames = this.contentFrameCount
    const shown = this.show(events)
    this.contentFrameCount = frames
    return shown
  }
}

function judged(
  checked: Checked | Promise<Checked>,
  held: Held,
): readonly NeutralEvent[] | Promise<readonly NeutralEvent[]> {
  if (checked instanceof Promise) return checked.then((one) => eventsOf(one, held))
  return eventsOf(checked, held)
}

function eventsOf(checked: Checked, held: Held): readonly NeutralEvent[] {
  return 'message' in checked ? [{ kind: 'error', ...checked }] : whole(held, checked.text)
}

function whole({ start, isShown }: Held, text: string): readonly NeutralEvent[] {
  const begin: NeutralEvent[] = isShown ? [] : [{ kind: 'part', part: start }]
  return [...begin, { kind: 'more', text }, { kind: 'part-end' }]
}
