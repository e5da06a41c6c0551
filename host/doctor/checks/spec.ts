import { sh } from '../../../syntax/shell/print.ts'
import type { Check, SpecState } from '../check.ts'
import { command, fail, ok, skip } from '../finding.ts'

export const spec: Check<SpecState> = {
  name: 'spec',
  summary: 'whether the spec compiles; without one, whatever depends on backends and domains is left out',
  observe: async (subject) => subject.spec,
  judge(state) {
    switch (state.kind) {
      case 'none':
        return [
          skip('no spec', 'backends, ports and domains are unknown: gatectl doctor gate.toml checks those of a spec'),
        ]
      case 'refused':
        return [
          fail(
            `${state.file} does not compile`,
            state.problems.slice(0, 5).join('\n'),
            command(sh`gatectl check ${state.file}`),
          ),
        ]
      case 'compiled':
        return [ok(`${state.file} compiles${state.warnings === 0 ? '' : `, ${state.warnings} warnings`}`)]
    }
  },
}
