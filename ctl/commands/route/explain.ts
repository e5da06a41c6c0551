import { readFile } from 'node:fs/promises'
import { text as readAll } from 'node:stream/consumers'
import type { RouteExplanation } from '../../../schemas/admin-route.ts'
import { unreadable, usageFailure } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'

export const run: Run = async (invocation) => {
  const { admin, json, print, printJson, stdout } = invocation
  const explanation = await admin.ask('POST /api/admin/route', { body: await questionIn(invocation) })
  if (json) printJson(explanation)
  else {
    const rows = explanation.targets.map((target) => [
      target.turn === null ? '-' : String(target.turn),
      target.upstream,
      target.model,
      target.why,
    ])
    print(`${explanation.model}: ${explanation.loaded_first ? 'loaded first' : explanation.strategy}`)
    const needs = needsOf(explanation)
    if (needs.length > 0) print(`a request with ${needs.join(', ')}`)
    print(table(['TURN', 'UPSTREAM', 'MODEL', 'WHY'], rows, stdout))
  }
  return 0
}

async function questionIn({ text, flag, stdin }: Invocation): Promise<object> {
  const [model, file, tokens] = [text('model'), text('request'), text('tokens')]
  if (model === undefined && file === undefined) {
    throw usageFailure('--model is missing', 'name a model, such as --model coder, or a file with a request')
  }
  if (tokens !== undefined && !/^\d{1,9}$/.test(tokens)) {
    throw usageFailure(`--tokens ${tokens} is not a number of tokens`, 'write a number, such as --tokens 20000')
  }
  const asIs = ['dialect', 'key', 'session'].flatMap((name) => {
    const value = text(name)
    return value === undefined ? [] : [[name, value]]
  })
  return {
    ...(model !== undefined && { model }),
    holds: (text('holds') ?? '').split(',').filter(Boolean),
    tools: flag('tools'),
    ...(tokens !== undefined && { tokens: Number(tokens) }),
    ...Object.fromEntries(asIs),
    ...(file !== undefined && { request: requestIn(file, await readRequest(file, stdin)) }),
  }
}

const readRequest = (file: string, stdin: Invocation['stdin']): Promise<string> =>
  file === '-' ? readAll(stdin) : readFile(file, 'utf8').catch((error) => unreadable(file, error))

function requestIn(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw usageFailure(`${file} is not JSON`, 'name a file with the body of a request, as its client sends it')
  }
}

function needsOf({ needs }: RouteExplanation): readonly string[] {
  return [...needs.holds, ...(needs.tools ? ['tools'] : []), ...(needs.tokens > 0 ? [`${needs.tokens} tokens`] : [])]
}
