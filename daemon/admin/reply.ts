import type { AuditEntry } from '../audit/entry.ts'

/**
 * What was changed, for the audit: `kind:id`, and what of it is different now. No secret. A page that tells a refusal
 * says so by `outcome` and `reason`.
 */
export type Change = Pick<AuditEntry, 'object' | 'old' | 'new'> & Partial<Pick<AuditEntry, 'outcome' | 'reason'>>

type Headers = Readonly<Record<string, string | readonly string[]>>

/** What a route answers. `A` is the shape of its JSON. */
export type Reply<A = unknown> = {
  /** Besides the type and length; names in lower case. */
  readonly headers: Headers
  /** Of a route that is audited. */
  readonly change?: Change
} & (
  | { readonly kind: 'json'; readonly status?: number; readonly value: A }
  | { readonly kind: 'page'; readonly status: number; readonly type: string; readonly text: string }
  /**
   * Ends when `chunks` does; it is cut off when that throws, so that no reader takes it for whole. The reader sets the
   * pace: one that stops reading is let go.
   */
  | { readonly kind: 'stream'; readonly type: string; readonly chunks: AsyncIterable<string> }
)

type Extra = { readonly headers?: Headers; readonly change?: Change }

/** @param extra a status other than that of the route, headers, what was changed */
export function json<A>(value: A, extra: Extra & { readonly status?: number } = {}): Reply<A> {
  return { kind: 'json', headers: {}, value, ...extra }
}

/** @param text the whole page; `content-security-policy` and the like are the caller's */
export function page(
  text: string,
  extra: Extra & { readonly status?: number; readonly type?: string } = {},
): Reply<never> {
  const { status = 200, type = 'text/html; charset=utf-8', ...rest } = extra
  return { kind: 'page', headers: {}, status, type, text, ...rest }
}

/** @param location a path of Gate's own, or a URL that was checked */
export function redirect(location: string, extra: Extra = {}): Reply<never> {
  const { headers, ...rest } = extra
  return { kind: 'page', status: 303, type: 'text/plain', text: '', ...rest, headers: { ...headers, location } }
}

/** @param type `application/x-ndjson` or `text/event-stream` */
export function stream(type: string, chunks: AsyncIterable<string>, headers: Headers = {}): Reply<never> {
  return { kind: 'stream', headers, type, chunks }
}
