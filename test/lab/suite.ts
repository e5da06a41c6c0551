import { describe, inject } from 'vitest'
import { isLong } from '../support/effort.ts'

/**
 * A suite that needs a lab: without one its tests are skipped, counted, and the reason is in their name.
 * @param onlyLong left to `npm run test:long`, because it takes half a minute and guards what seldom changes
 * @param needs what else is missing on this machine
 */
export function describeInLab(
  title: string,
  suite: () => void,
  { onlyLong = false, needs }: { readonly onlyLong?: boolean; readonly needs?: string | undefined } = {},
): void {
  const rootfs = inject('rootfs')
  if (needs !== undefined) describe.skip(`${title} (needs ${needs})`, suite)
  else if (onlyLong && !isLong) describe.skip(`${title} (needs npm run test:long)`, suite)
  else if (rootfs.kind === 'ready') describe(title, suite)
  else {
    console.warn(`"${title}" is skipped, no lab here: ${rootfs.reason}`)
    describe.skip(`${title} (needs a lab: ${rootfs.reason})`, suite)
  }
}
