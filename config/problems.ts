import type { z } from 'zod'
import { type KeyNode, leaves, nodeAt } from '../schemas/config/keys.ts'
import type { ConfigProblem, LayerName } from '../schemas/config/layers.ts'
import type { ConfigCode } from '../schemas/words/error-codes.ts'
import { issueWords } from '../schemas/words/issue.ts'
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

/** Checks a value against a schema and says what is wrong, without repeating the values of secrets. */
export function checkTree(
  value: Tree,
  rules: {
    readonly schema: z.ZodType
    readonly tree: KeyNode
    readonly layer: LayerName
    readonly whereOf: (path: Path) => string
  },
): ConfigProblem[] {
  const result = rules.schema.safeParse(value)
  if (result.success) return []
  const problems = result.error.issues.flatMap((issue) => issuesOf(issue, value, rules))
  // What is said first of a key is enough: an empty secret is also too short.
  return problems.filter((problem, index) => problems.findIndex(({ key }) => key === problem.key) === index)
}

function issuesOf(issue: z.core.$ZodIssue, value: Tree, rules: Parameters<typeof checkTree>[1]): ConfigProblem[] {
  const path = issue.path.map(String)
  const problem = (code: ConfigCode, at: Path, message: string, hint?: string): ConfigProblem => ({
    code,
    layer: rules.layer,
    where: rules.whereOf(at),
    key: keyPathText(at),
    message: `${keyPathText(at)} ${message}`,
    ...(hint === undefined ? {} : { hint }),
  })
  const written = valueAt(value, path)
  const words = issueWords(issue, written)
  switch (words.kind) {
    case 'unknown-keys':
      return words.keys.map((key) => {
        const at = [...path, key]
        const found = problem('UNKNOWN_KEY', at, '', keySuggestion(rules.tree, at))
        return { ...found, message: `unknown key ${keyPathText(at)}` }
      })
    case 'bad-name':
      return [problem('INVALID_NAME', path, 'is not a valid name', words.reason)]
    case 'missing': {
      const hint = words.options.length === 0 ? undefined : `use ${words.options.join(', ')}`
      return [problem('MISSING_KEY', path, 'is missing', hint)]
    }
    case 'wrong-type':
      return [problem('WRONG_TYPE', path, `is not ${words.expected}`)]
    case 'not-one-of': {
      const near = typeof written === 'string' ? nearest(written, words.options) : undefined
      const hint = near === undefined ? `use ${words.options.join(', ')}` : `did you mean "${near}"?`
      return [problem('INVALID_VALUE', path, 'is not one of the possible values', hint)]
    }
    case 'invalid':
      return [problem('INVALID_VALUE', path, 'is not valid', words.reason)]
  }
}

/** "did you mean" for a key that does not exist: near names beside it, then the same ending elsewhere. */
export function keySuggestion(tree: KeyNode, path: Path): string | undefined {
  const name = path.at(-1) ?? ''
  const parent = nodeAt(tree, path.slice(0, -1))
  const sibling = parent?.kind === 'group' ? nearest(name, parent.fields.keys()) : undefined
  if (sibling !== undefined) return `did you mean ${keyPathText([...path.slice(0, -1), sibling])}?`
  const keys = [...leaves(tree)].map(([leafPath]) => keyPathText(leafPath))
  const elsewhere = keys.find((key) => key.endsWith(`.${keyPathText(path)}`)) ?? nearest(keyPathText(path), keys)
  return elsewhere === undefined ? undefined : `did you mean ${elsewhere.replaceAll('*', '<name>')}?`
}
