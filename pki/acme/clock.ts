import type { Send } from './request.ts'

/**
 * How far the clock of a CA is ahead of this host's, in milliseconds; negative: behind.
 * @param now Unix milliseconds
 * @returns undefined where the CA does not say what time it is
 * @throws Error for a CA that cannot be asked
 */
export async function clockAhead(
  { directory, ca }: { readonly directory: string; readonly ca: string | undefined },
  send: Send,
  now: () => number,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { headers } = await send({ method: 'HEAD', url: directory, ca }, signal)
  const date = Date.parse(headers.date ?? '')
  return Number.isNaN(date) ? undefined : date - now()
}
