import type { Check } from '../../../../host/doctor/check.ts'

/**
 * What a check makes of facts: a line `status what` for each finding, below it the reasons, and `$ command` or `>
 * place: change`.
 */
export function pageOf<Facts>({ judge }: Check<Facts>, facts: Facts): string {
  return judge(facts)
    .flatMap(({ status, what, why, fix }) => {
      const fixed =
        fix === undefined ? [] : [fix.kind === 'command' ? `  $ ${fix.command}` : `  > ${fix.where}: ${fix.change}`]
      return [`${status} ${what}`, ...(why === undefined ? [] : why.split('\n').map((line) => `  ${line}`)), ...fixed]
    })
    .join('\n')
}
