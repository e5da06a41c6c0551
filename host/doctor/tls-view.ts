import type { DaemonView, TlsView } from './check.ts'

/** undefined: the daemon does not answer, or is too old to say. */
export async function tlsOf(daemon: Promise<DaemonView>): Promise<TlsView | undefined> {
  const view = await daemon
  return view.kind === 'answers' ? view.tls : undefined
}

/** @returns undefined for one that is not set, or not text */
export function textIn({ settings }: TlsView, key: string): string | undefined {
  const value = settings[key]
  return typeof value === 'string' && value !== '' ? value : undefined
}
