import { expect } from 'vitest'

/** A check of a body or of a stream's events; README.md says what each means. */
export type Check = Readonly<Record<string, unknown>>

/** An event of a stream as a client reads it: its type, and its data, parsed where it is JSON. */
export type ReadEvent = { readonly type: string; readonly data: unknown }

/** @throws AssertionError when a body is not as it should be */
export function checkBody(body: unknown, check: Check): void {
  const { any_of: options, nowhere, at } = check
  if (Array.isArray(options)) {
    const failures = options.filter((option) => failsOn(() => checkBody(body, option)))
    expect(failures, `none of ${JSON.stringify(options)} holds`).not.toHaveLength(options.length)
    return
  }
  if (nowhere !== undefined) {
    expect(JSON.stringify(body)).not.toContain(nowhere)
    return
  }
  const value = valueAt(body, String(at))
  const what = `${at} of ${JSON.stringify(body)}`
  for (const [kind, wanted] of Object.entries(check)) {
    if (kind !== 'at') checkValue(value, kind, wanted, what)
  }
}

function checkValue(value: unknown, kind: string, wanted: unknown, what: string): void {
  if (kind === 'is') expect(value, what).toEqual(wanted)
  else if (kind === 'json') expect(JSON.parse(String(value)), what).toEqual(wanted)
  else if (kind === 'text') expect(textOf(value), what).toBe(wanted)
  else if (kind === 'text_contains') for (const text of wanted as string[]) expect(textOf(value), what).toContain(text)
  else if (kind === 'matches') {
    expect(typeof value === 'string' ? value : JSON.stringify(value), what).toMatch(new RegExp(String(wanted)))
  } else if (kind === 'absent') expect(value, what).toBeUndefined()
  else if (kind === 'length') expect(value, what).toHaveLength(Number(wanted))
  else if (kind === 'is_object')
    expect(value !== null && typeof value === 'object' && !Array.isArray(value), what).toBe(true)
  else throw new Error(`unknown check "${kind}"`)
}

/** @throws AssertionError when a stream is not as it should be */
export function checkEvents(events: readonly ReadEvent[], check: Check): void {
  const { events: pattern, order, one_of: options } = check
  const matching = (wanted: unknown) => events.filter(({ data }) => matches(data, wanted))
  const what = JSON.stringify(check)
  if (pattern !== undefined) {
    const found = matching(pattern)
    if ('count' in check) expect(found, what).toHaveLength(Number(check['count']))
    if ('join' in check) {
      const joined = found.map(({ data }) => valueAt(data, String(check['join'])) ?? '').join('')
      if ('is' in check) expect(joined, what).toBe(check['is'])
      if ('json' in check) expect(JSON.parse(joined), what).toEqual(check['json'])
    }
  } else if (Array.isArray(order)) {
    let at = 0
    for (const wanted of order) {
      const found = events.findIndex(({ data }, index) => index >= at && matches(data, wanted))
      expect(found, `${JSON.stringify(wanted)} in order`).toBeGreaterThanOrEqual(at)
      at = found + 1
    }
  } else if (Array.isArray(options)) {
    expect(
      options.some((option) => matching(option).length > 0),
      what,
    ).toBe(true)
  } else if ('last' in check) {
    const last = events.at(-1)?.data
    expect(typeof check['last'] === 'object' ? matches(last, check['last']) : last === check['last'], what).toBe(true)
  } else if (check['every_event_named'] === true) {
    for (const { type, data } of events) expect(type).toBe(valueAt(data, 'type'))
  } else throw new Error(`unknown check ${what}`)
}

function failsOn(check: () => void): boolean {
  try {
    check()
    return false
  } catch {
    return true
  }
}

function valueAt(value: unknown, path: string): unknown {
  let found = value
  for (const step of path.split('.')) {
    if (Array.isArray(found)) found = found.at(Number(step))
    else if (found !== null && typeof found === 'object') found = (found as Record<string, unknown>)[step]
    else return undefined
  }
  return found
}

function textOf(value: unknown): string {
  if (!Array.isArray(value)) return String(value)
  return value.map((part) => valueAt(part, 'text')).join('')
}

function matches(value: unknown, pattern: unknown): boolean {
  if (Array.isArray(pattern)) {
    if (!Array.isArray(value) || (pattern.length === 0 && value.length > 0)) return false
    return pattern.every((one, index) => index < value.length && matches(value[index], one))
  }
  if (pattern === null || typeof pattern !== 'object') return Object.is(value, pattern)
  if (value === null || typeof value !== 'object') return false
  return Object.entries(pattern).every(
    ([key, one]) => key in value && matches((value as Record<string, unknown>)[key], one),
  )
}
