import { AdminError } from './error.ts'

/** Reads paths such as `/api/admin/keys/{id}`. */
export type PathPattern = {
  /** Whether a path has a value for each `{name}`. */
  fits(path: string): boolean
  /** These values, decoded. @throws AdminError BAD_REQUEST */
  params(path: string): Readonly<Record<string, string>>
}

/** @param template `{name}` stands for one segment that is not empty */
export function pathPattern(template: string): PathPattern {
  const names = Array.from(template.matchAll(/\{(\w+)\}/g), ([, name = '']) => name)
  const parts = template.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const whole = new RegExp(`^${parts.join('([^/]+)')}$`)
  return {
    fits: (path) => whole.test(path),
    params: (path) => {
      const [, ...values] = whole.exec(path) ?? []
      return Object.fromEntries(names.map((name, at) => [name, decoded(values[at] ?? '')]))
    },
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch (cause) {
    if (!(cause instanceof URIError)) throw cause
    throw new AdminError('BAD_REQUEST', 'the path is not valid percent-encoding', { cause })
  }
}
