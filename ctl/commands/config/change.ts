import type { ConfigChange } from '../../../schemas/config/layers.ts'
import type { Invocation } from '../../invocation.ts'
import { problemLines } from '../../output/problem-lines.ts'

/** Prints what an edit or a reload did. */
export function printChange({ json, print, printJson, note }: Invocation, change: ConfigChange): void {
  if (json) {
    printJson(change)
    return
  }
  print(change.changed.length === 0 ? 'nothing in effect changed' : `changed: ${change.changed.join(', ')}`)
  if (change.restart.length > 0) note(`takes effect when gate-daemon restarts: ${change.restart.join(', ')}`)
  if (change.shadowed.length > 0)
    note(`the environment hides what the runtime configuration says: ${change.shadowed.join(', ')}`)
  for (const line of [...change.problems, ...(change.ignored ?? [])].flatMap(problemLines)) note(line)
}
