import { unifiedDiff } from '../../ctl/output/unified-diff.ts'

type Files = ReadonlyMap<string, string>

/** What turns the files of one golden into those of another, as `diff -u` shows it, in order of their paths. */
export function diffOf(before: Files, after: Files): string {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort()
  const changed = paths.filter((path) => before.get(path) !== after.get(path))
  return changed
    .map((path) => `${unifiedDiff(before.get(path), after.get(path), { before: path, after: path })}\n`)
    .join('')
}

/** The files after a diff of `diffOf`. @throws Error when it does not fit, which is when the base has changed since */
export function patched(before: Files, diff: string): Map<string, string> {
  const files = new Map(before)
  for (const section of diff.split(/^(?=--- .*\n\+\+\+ )/m).filter((text) => text !== '')) {
    const [, from = '', to = ''] = /^--- (.*)\n\+\+\+ (.*)\n/.exec(section) ?? []
    if (to === '/dev/null') files.delete(from)
    else files.set(to, applied(before.get(from) ?? '', section.split('\n').slice(2, -1), to))
  }
  return files
}

/** @param hunks lines after the names of the files; every text ends with a line break */
function applied(text: string, hunks: readonly string[], path: string): string {
  const old = text.split('\n')
  const made: string[] = []
  let at = 0
  for (const line of hunks) {
    const start = /^@@ -(\d+)(,0)?/.exec(line)
    if (start !== null) {
      // a hunk without old lines names the line before it
      const until = Number(start[1]) - (start[2] === undefined ? 1 : 0)
      made.push(...old.slice(at, until))
      at = until
      continue
    }
    if (!line.startsWith('+') && old[at++] !== line.slice(1))
      throw new Error(
        `${path}: line ${at} is not "${line.slice(1)}"; node scripts/update-golden.ts makes the diff again`,
      )
    if (!line.startsWith('-')) made.push(line.slice(1))
  }
  return [...made, ...old.slice(at)].join('\n')
}
