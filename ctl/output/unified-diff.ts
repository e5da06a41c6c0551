/**
 * What changes one text into another, as `diff -u` shows it, three lines of context around each change.
 * @param names of the two files; undefined for a file that does not exist
 * @see https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html
 */
export function unifiedDiff(
  before: string | undefined,
  after: string | undefined,
  names: { readonly before: string; readonly after: string },
): string {
  const [old, now] = [linesOf(before ?? ''), linesOf(after ?? '')]
  const edits = editsBetween(old, now)
  return [
    `--- ${before === undefined ? '/dev/null' : names.before}`,
    `+++ ${after === undefined ? '/dev/null' : names.after}`,
    ...hunks(edits).flatMap(hunkLines),
  ].join('\n')
}

/** One line of the diff, and how many lines of either text come before it. */
type Edit = { readonly sign: ' ' | '-' | '+'; readonly line: string; readonly old: number; readonly now: number }

const CONTEXT = 3
/** Beyond this many comparisons the changed block is shown as completely replaced. */
const COMPARISONS_MAX = 4_000_000

/** Lines; the last one says when it ends without a line break. */
function linesOf(text: string): string[] {
  if (text === '') return []
  const lines = text.split('\n')
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines.with(-1, `${lines.at(-1)}\n\\ No newline at end of file`)
}

function editsBetween(old: readonly string[], now: readonly string[]): Edit[] {
  let start = 0
  while (start < old.length && start < now.length && old[start] === now[start]) start++
  let [oldEnd, nowEnd] = [old.length, now.length]
  while (oldEnd > start && nowEnd > start && old[oldEnd - 1] === now[nowEnd - 1])
    [oldEnd, nowEnd] = [oldEnd - 1, nowEnd - 1]
  const signs = [
    ...Array<Edit['sign']>(start).fill(' '),
    ...changedSigns(old.slice(start, oldEnd), now.slice(start, nowEnd)),
    ...Array<Edit['sign']>(old.length - oldEnd).fill(' '),
  ]
  let [i, j] = [0, 0]
  return signs.map((sign) => {
    const edit = { sign, line: (sign === '+' ? now[j] : old[i]) ?? '', old: i, now: j }
    if (sign !== '+') i++
    if (sign !== '-') j++
    return edit
  })
}

/** Keeps the longest common subsequence of the lines. */
function changedSigns(old: readonly string[], now: readonly string[]): Edit['sign'][] {
  const replaced: Edit['sign'][] = [...old.map(() => '-' as const), ...now.map(() => '+' as const)]
  if (old.length * now.length > COMPARISONS_MAX) return replaced
  const width = now.length + 1
  /** Length of the common subsequence of what follows old line i and new line j. */
  const common = new Uint32Array((old.length + 1) * width)
  const at = (i: number, j: number): number => common[i * width + j] ?? 0
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = now.length - 1; j >= 0; j--)
      common[i * width + j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  const signs: Edit['sign'][] = []
  let [i, j] = [0, 0]
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) [i, j] = [i + 1, j + 1, signs.push(' ')]
    else if (j === now.length || (i < old.length && at(i + 1, j) >= at(i, j + 1))) [i] = [i + 1, signs.push('-')]
    else [j] = [j + 1, signs.push('+')]
  }
  return signs
}

/** Runs of edits with their context; runs whose contexts touch are one. */
function hunks(edits: readonly Edit[]): Edit[][] {
  const found: { from: number; to: number }[] = []
  for (const [i, { sign }] of edits.entries()) {
    if (sign === ' ') continue
    const last = found.at(-1)
    if (last !== undefined && i - CONTEXT <= last.to) last.to = i + CONTEXT + 1
    else found.push({ from: Math.max(0, i - CONTEXT), to: i + CONTEXT + 1 })
  }
  return found.map(({ from, to }) => edits.slice(from, to))
}

function hunkLines(hunk: readonly Edit[]): string[] {
  const [first] = hunk
  const range = (start: number, skipped: '+' | '-'): string => {
    const count = hunk.filter(({ sign }) => sign !== skipped).length
    return `${count === 0 ? start : start + 1}${count === 1 ? '' : `,${count}`}`
  }
  const head = `@@ -${range(first?.old ?? 0, '+')} +${range(first?.now ?? 0, '-')} @@`
  return [head, ...hunk.map(({ sign, line }) => `${sign}${line}`)]
}
