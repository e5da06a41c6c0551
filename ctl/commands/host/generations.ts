import { readGenerations } from '../../../host/generations/generations.ts'
import { localHost } from '../../../host/host.ts'
import type { Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'
import { converted, namedPrefix } from './deployment.ts'

export const run: Run = async (invocation) => {
  const { json, print, printJson } = invocation
  const host = localHost()
  const prefix = namedPrefix(invocation)
  const { directory, manifests, current, committed } = await converted(async () => readGenerations(host, prefix))
  const rows = [...manifests]
    .sort(([a], [b]) => b - a)
    .map(([number, { files, images }]) => {
      const madeMs = host.status(`${directory}/generations/${number}/manifest.json`)?.modifiedMs ?? 0
      const state = number === current ? (number === committed ? 'runs' : 'unfinished') : ''
      return { number, state, made_at: new Date(madeMs).toISOString(), files: files.length, backends: images.length }
    })
  if (json) printJson(rows)
  else if (rows.length === 0) print('nothing has been applied yet')
  else {
    const cells = rows.map(({ number, state, made_at, files, backends }) => [number, made_at, files, backends, state])
    print(
      table(
        ['GENERATION', 'MADE', 'FILES', 'BACKENDS', 'STATE'],
        cells.map((row) => row.map(String)),
        invocation.stdout,
      ),
    )
  }
  return 0
}
