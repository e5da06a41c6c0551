import type { Run } from '../../invocation.ts'
import { countText, diagnosticJson, diagnosticText } from '../../output/diagnostic-text.ts'
import { compileInput, readSpecInput, targetList } from './spec-input.ts'

export const run: Run = async (invocation) => {
  const { json, print, text } = invocation
  const targets = text('target')
  const input = await readSpecInput(invocation)
  const { kind, diagnostics } = compileInput(input, targets === undefined ? [] : targetList(targets))
  const valid = kind === 'compiled'
  if (json) {
    print(JSON.stringify({ valid, diagnostics: diagnostics.map(diagnosticJson) }))
  } else {
    if (diagnostics.length > 0) print(`${diagnosticText(diagnostics, input.text)}\n`)
    print(`${input.file}: ${countText(diagnostics)}`)
  }
  return valid ? 0 : 3
}
