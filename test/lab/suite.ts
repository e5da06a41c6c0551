import { describe, inject } from 'vitest'

/** A suite that needs a lab: without one its tests are skipped, counted, and the reason is in their name. */
export function describeInLab(title: string, suite: () => void): void {
  const rootfs = inject('rootfs')
  if (rootfs.kind === 'ready') {
    describe(title, suite)
    return
  }
  console.warn(`"${title}" is skipped, no lab here: ${rootfs.reason}`)
  describe.skip(`${title} (needs a lab: ${rootfs.reason})`, suite)
}
