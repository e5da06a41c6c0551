import { readFile } from 'node:fs/promises'
import type { Generation } from '../../../schemas/deploy/generation.ts'
import { sh } from '../../../syntax/shell/print.ts'
import { readGenerations } from '../../generations/generations.ts'
import { localHost } from '../../host.ts'
import { deployDirectory, sha256 } from '../../plan/desired.ts'
import { HostError } from '../../problem.ts'
import type { Check } from '../check.ts'
import { command, type Finding, fail, listed, ok, skip, warn } from '../finding.ts'
import { linkTarget, statPath } from '../look.ts'

export type GenerationFacts =
  /** `isWaiting`: there is a spec with backends, and none of them was ever made. */
  | { readonly kind: 'none'; readonly isWaiting: boolean }
  | { readonly kind: 'unreadable'; readonly message: string; readonly hint: string | undefined }
  | {
      readonly kind: 'read'
      readonly current: number | undefined
      readonly committed: number | undefined
      /**
       * Files of the current generation that are not what its manifest says: in the generation, or where they belong.
       */
      readonly changed: readonly string[]
      readonly lost: readonly string[]
      /** Files that this caller may not read. */
      readonly unseen: number
      /** Links of unit directories that point elsewhere, or are not links. */
      readonly astray: readonly string[]
      readonly count: number
    }

/** What gatectl apply has written, against its own manifest. */
export const generation: Check<GenerationFacts> = {
  name: 'generation',
  summary: 'whether the files of the current generation are as gatectl apply wrote them, and its links point to them',
  async observe({ names, isApplied }) {
    const directory = deployDirectory(names.prefix)
    if ((await statPath(`${directory}/generations`)).kind === 'absent') return { kind: 'none', isWaiting: !isApplied }
    try {
      const { current, committed, manifests } = readGenerations(localHost(), names.prefix)
      const manifest = current === undefined ? undefined : manifests.get(current)
      const seen = manifest === undefined ? NOTHING : await compare(`${directory}/generations/${current}`, manifest)
      return { kind: 'read', current, committed, ...seen }
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      return { kind: 'unreadable', message: error.message, hint: error.problems[0].hint }
    }
  },
  judge(facts) {
    const apply = command(sh`gatectl apply`)
    if (facts.kind === 'none')
      return facts.isWaiting
        ? [fail('the spec was not applied to this host', 'what it asks for is not there, so it was not checked', apply)]
        : [ok('nothing was applied to this host')]
    if (facts.kind === 'unreadable')
      return [fail('a generation cannot be read', facts.message, command(sh`gatectl generations; gatectl apply`))]
    const { current, committed, changed, lost, unseen, astray, count } = facts
    if (current === undefined)
      return [
        fail(
          'no generation is current',
          'an apply was interrupted, or the link is gone: units of users are not found',
          apply,
        ),
      ]
    const findings: Finding[] = []
    if (committed !== current)
      findings.push(
        warn(
          `generation ${current} was never seen to work`,
          `an apply was interrupted${committed === undefined ? '' : `; the last one that worked is ${committed}`}`,
          apply,
        ),
      )
    if (lost.length > 0)
      findings.push(
        fail(`${listed(lost)} ${lost.length === 1 ? 'is' : 'are'} gone`, `generation ${current} put it there`, apply),
      )
    if (changed.length > 0)
      findings.push(
        warn(
          `${listed(changed)} ${changed.length === 1 ? 'was' : 'were'} changed by hand`,
          `it differs from what generation ${current} wrote, and the next apply restores it`,
          apply,
        ),
      )
    if (astray.length > 0)
      findings.push(
        fail(
          `${listed(astray)} ${astray.length === 1 ? 'does' : 'do'} not point to the current generation`,
          'units of that user are not found',
          apply,
        ),
      )
    if (unseen > 0)
      findings.push(skip(`${unseen} of ${count} files`, 'only root can read them: run gatectl doctor as root'))
    return findings.length > 0 ? findings : [ok(`generation ${current}: ${count} files as they were written`)]
  },
}

type Compared = Pick<Extract<GenerationFacts, { kind: 'read' }>, 'changed' | 'lost' | 'unseen' | 'astray' | 'count'>
const NOTHING: Compared = { changed: [], lost: [], unseen: 0, astray: [], count: 0 }

async function compare(directory: string, { files, links }: Generation): Promise<Compared> {
  // what is reached by a link is the file of the generation itself
  const linked = (path: string) => links.some((link) => path.startsWith(`${link.path}/`))
  const places = files.flatMap(({ path, install, sha256: wanted }) => [
    { path: `${directory}/${path}`, wanted },
    ...(install === undefined || linked(install) ? [] : [{ path: install, wanted }]),
  ])
  const [changed, lost]: [string[], string[]] = [[], []]
  let unseen = 0
  for (const { path, wanted } of places) {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => error)
    if (typeof text === 'string') {
      if (sha256(text) !== wanted) changed.push(path)
    } else if (text.code === 'EACCES') unseen++
    else lost.push(path)
  }
  const targets = await Promise.all(
    links.map(async ({ path, target }) => ({ path, target, found: await linkTarget(path) })),
  )
  const astray = targets.filter(
    ({ found, target }) => found.kind !== 'denied' && !(found.kind === 'seen' && found.value === target),
  )
  return { changed, lost, unseen, astray: astray.map(({ path }) => path), count: places.length }
}
