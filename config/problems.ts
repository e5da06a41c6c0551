import type { z } from 'zod'
import { type KeyNode, leaves, nodeAt } from '../schemas/config/keys.ts'
import type { ConfigProblem, LayerName } from '../schemas/config/layers.ts'
import type { ConfigCode } from '../schemas/words/error-codes.ts'
import { issueWords, textForm } from '../schemas/words/issue.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import { nearest } from '../schemas/words/nearest.ts'
import { type Path, type Tree, valueAt } from '../syntax/tree.ts'

/** Configuration that cannot be used, or an edit that was refused. Carries every problem, not only the first. */
export class ConfigError extends Error {
  readonly code: ConfigCode
  readonly problems: readonly ConfigProblem[]
  constructor(problems: readonly [ConfigProblem, ...ConfigProblem[]], options: { readonly cause?: unknown } = {}) {
    super(problems.map(problemLine).join('\n'), options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ConfigError'
    this.code = problems[0].code
    this.problems = problems
  }
}

/** Throws when there is any problem. @throws ConfigError */
export function refuse(problems: readonly ConfigProblem[]): void {
  const [first, ...others] = problems
  if (first !== undefined) throw new ConfigError([first, ...others])
}

/** `where: message; hint` */
export function problemLine(problem: ConfigProblem): string {
  const hint = problem.hint === undefined ? '' : `; ${problem.hint}`
  return `${problem.where}: ${problem.message}${hint}`
}

/** Something wrong at a path. Its text is made only when it is reported. */
export type Mistake = { readonly path: Path; readonly tell: () => ConfigProblem }

/** As many as people read. A file of nothing but mistakes has tens of thousands. */
const MOST_PROBLEMS = 50

/** The problems of the first mistakes, and how many more there are. */
export function firstProblems(mistakes: readonly Mistake[]): ConfigProblem[] {
  const problems = mistakes.slice(0, MOST_PROBLEMS).map(({ tell }) => tell())
  return capped(problems, mistakes.length)
}

/** The first problems, and how many more there are. */
export function capped(
  problems: readonly ConfigProblem[],
  count: number = problems.length,
  place?: string,
): ConfigProblem[] {
  const first = problems.slice(0, MOST_PROBLEMS)
  const [example] = first
  if (example === undefined || count <= MOST_PROBLEMS) return first
  const { layer, where } = example
  const file = place ?? where.replace(/:\d+:\d+$/, '')
  return [...first, { code: 'MORE_PROBLEMS', layer, where: file, message: `and ${count - MOST_PROBLEMS} more` }]
}

type Rules = {
  readonly schema: z.ZodType
  readonly tree: KeyNode
  readonly layer: LayerName
  readonly whereOf: (path: Path) => string
}

/** Checks a value against a schema and says what is wrong, without repeating the values of secrets. */
export function checkTree(value: Tree, rules: Rules): ConfigProblem[] {
  return firstProblems(mistakesIn(value, rules))
}

/** Every mistake by the schema; of those at one key the first: an empty secret is also too short. */
export function mistakesIn(value: Tree, rules: Rules): Mistake[] {
  const result = rules.schema.safeParse(value)
  if (result.success) return []
  const first = new Map<string, Mistake>()
  for (const issue of result.error.issues)
    for (const mistake of mistakesOf(issue, value, rules)) {
      const key = keyPathText(mistake.path)
      if (!first.has(key)) first.set(key, mistake)
    }
  return [...first.values()]
}

function mistakesOf(issue: z.core.$ZodIssue, value: Tree, rules: Rules): Mistake[] {
  const path = issue.path.map(String)
  const mistake = (at: Path, code: ConfigCode, words: (key: string) => string, hint?: () => string | undefined) => {
    const tell = () => problemAt(at, code, words, hint?.(), rules)
    return { path: at, tell }
  }
  const written = valueAt(value, path)
  const words = issueWords(issue, written, rules.layer === 'declared' ? 'json' : 'toml')
  switch (words.kind) {
    case 'unknown-keys':
      return words.keys.map((name) => {
        const at = [...path, name]
        return mistake(
          at,
          'UNKNOWN_KEY',
          (key) => `unknown key ${key}`,
          () => keySuggestion(rules.tree, at),
        )
      })
    case 'bad-name':
      return [
        mistake(
          path,
          'INVALID_NAME',
          (key) => `${key} is not a valid name`,
          () => words.reason,
        ),
      ]
    case 'missing': {
      const hint = words.options.length === 0 ? undefined : `use ${words.options.join(', ')}`
      return [
        mistake(
          path,
          'MISSING_KEY',
          (key) => `${key} is missing`,
          () => hint,
        ),
      ]
    }
    case 'wrong-type':
      return [
        mistake(
          path,
          'WRONG_TYPE',
          (key) => `${key} is not ${words.expected}`,
          () => formOf(nodeAt(rules.tree, path), written),
        ),
      ]
    case 'not-one-of': {
      const hint = () => {
        const near = typeof written === 'string' ? nearest(written, words.options) : undefined
        return near === undefined ? `use ${words.options.join(', ')}` : `did you mean "${near}"?`
      }
      return [mistake(path, 'INVALID_VALUE', (key) => `${key} is not one of the allowed values`, hint)]
    }
    case 'invalid':
      return [
        mistake(
          path,
          'INVALID_VALUE',
          (key) => `${key} is not valid`,
          () => words.reason,
        ),
      ]
  }
}

/** What to write in place of a value of another type. */
function formOf(node: KeyNode | undefined, written: unknown): string | undefined {
  if (node?.kind !== 'leaf') return undefined
  if (node.holds === 'list') return typeof written === 'string' ? `write [${JSON.stringify(written)}]` : undefined
  return node.holds === 'string' ? textForm(node.schema) : undefined
}

function problemAt(
  path: Path,
  code: ConfigCode,
  words: (key: string) => string,
  hint: string | undefined,
  { layer, whereOf }: Rules,
): ConfigProblem {
  const key = shortened(keyPathText(path))
  const problem = { code, layer, where: whereOf(path), key, message: words(key) }
  return hint === undefined ? problem : { ...problem, hint }
}

/** Longer than any key or variable is, and shorter than a line of a log should be. */
const LONGEST_KEY = 400

export function shortened(key: string): string {
  return key.length <= LONGEST_KEY ? key : `${key.slice(0, LONGEST_KEY)}…`
}

/** "did you mean" for a key that does not exist: near names beside it, then the same ending elsewhere. */
export function keySuggestion(tree: KeyNode, path: Path): string | undefined {
  const name = path.at(-1) ?? ''
  const parent = nodeAt(tree, path.slice(0, -1))
  const sibling = parent?.kind === 'group' ? nearest(name, parent.fields.keys()) : undefined
  if (sibling !== undefined) return `did you mean ${keyPathText([...path.slice(0, -1), sibling])}?`
  const quoted = withDots(tree, path)
  if (quoted !== undefined) return `did you mean ${keyPathText(quoted)}?`
  const written = keyPathText(path)
  const keys = [...leaves(tree)].map(([leafPath]) => leafPath.join('.'))
  const elsewhere = keys.find((key) => key.endsWith(`.${written}`)) ?? nearest(written, keys)
  return elsewhere === undefined ? undefined : `did you mean ${elsewhere.replaceAll('*', '<name>')}?`
}

/** The key whose name of an entry holds dots that were not quoted: `models.gpt-4.1.targets`. */
function withDots(tree: KeyNode, [map = '', ...steps]: Path): Path | undefined {
  if (nodeAt(tree, [map])?.kind !== 'map') return undefined
  const ends = steps.slice(1, MOST_DOTS).map((_, index) => index + 2)
  const paths = ends.map((end) => [map, steps.slice(0, end).join('.'), ...steps.slice(end)])
  return paths.find((path) => path.length > 2 && nodeAt(tree, path) !== undefined)
}

const MOST_DOTS = 10
