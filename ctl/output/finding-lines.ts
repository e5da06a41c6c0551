import type { CheckedFinding } from '../../host/doctor/doctor.ts'
import type { Fix, Status } from '../../host/doctor/finding.ts'
import { printable } from './printed.ts'

/** The status of a finding, as wide as any other, coloured or not. */
export type Mark = (status: Status) => string

export const plain: Mark = (status) => status.padEnd(4)

/** A finding for people, with why and what to do below one that is not ok. */
export function findingLines({ status, check, what, why, fix }: CheckedFinding, width: number, mark: Mark): string[] {
  const indent = ' '.repeat(6)
  const more =
    why === undefined ? [] : why.split('\n').map((line, i) => `${indent}${i === 0 ? 'why: ' : '     '}${line}`)
  return [
    `${mark(status)}  ${check.padEnd(width)}  ${printable(what)}`,
    ...more.map(printable),
    ...(fix === undefined ? [] : [printable(`${indent}fix: ${fixText(fix)}`)]),
  ]
}

function fixText(fix: Fix): string {
  return fix.kind === 'command' ? fix.command : `${fix.where}: ${fix.change}`
}

/** A finding as `--json` prints it. */
export function findingJson({ check, status, what, why, fix }: CheckedFinding) {
  return { check, status, what, ...(why !== undefined && { why }), ...(fix && { fix }) }
}
