import { existsSync } from 'node:fs'
import { DEPLOYED_TARGETS } from '../../../host/plan/desired.ts'
import type { Target } from '../../../schemas/words/targets.ts'
import type { Run } from '../../invocation.ts'
import { countText, diagnosticJson, diagnosticText } from '../../output/diagnostic-text.ts'
import { compileInput, readSpecInput, targetList } from './spec-input.ts'

export const run: Run = async (invocation) => {
  const { json, print, text } = invocation
  const asked = text('target')
  const targets = asked === undefined ? targetsOfThisHost() : targetList(asked)
  const input = await readSpecInput(invocation)
  const { kind, diagnostics } = compileInput(input, targets)
  const valid = kind === 'compiled'
  if (json) {
    print(JSON.stringify({ valid, targets, diagnostics: diagnostics.map(diagnosticJson) }))
  } else {
    if (diagnostics.length > 0) print(`${diagnosticText(diagnostics, input.text)}\n`)
    const by = asked === undefined ? 'what gatectl apply makes: ' : ''
    print(`checked for ${by}${targets.join(', ')}`)
    print(`${input.file}: ${countText(diagnostics)}`)
  }
  return valid ? 0 : 3
}

/** What `gatectl apply` would make of a spec. NixOS has no apply: there the options that a spec becomes count, too. */
function targetsOfThisHost(): readonly Target[] {
  return existsSync('/etc/NIXOS') ? [...DEPLOYED_TARGETS, 'nix'] : DEPLOYED_TARGETS
}
