import { pathText, type SpecPath } from '../../schemas/spec/path.ts'

/**
 * nginx's configuration syntax: the tree, and the only place that escapes for it.
 * @see https://nginx.org/en/docs/beginners_guide.html#conf_structure, ngx_conf_read_token in src/core/ngx_conf_file.c
 */
export type Directive = {
  readonly name: string
  readonly args: readonly Argument[]
  readonly block?: readonly Directive[]
  /** Absent: that of the directive around it. */
  readonly origin?: SpecPath
}

/** A string is one argument, read back as it is; an expression is written as it is. */
export type Argument = string | { readonly kind: 'expression'; readonly text: string }

/** A text with variables for nginx to fill in. Never made of anything from a spec. */
export const expression = (text: string): Argument => ({ kind: 'expression', text })

export function directive(name: string, ...args: readonly Argument[]): Directive {
  return { name, args }
}

export function block(
  name: string,
  args: readonly Argument[],
  inner: readonly Directive[],
  origin?: SpecPath,
): Directive {
  return { name, args, block: inner, ...(origin === undefined ? {} : { origin }) }
}

/** The text of a file and, for each line, the path in the spec that it comes from. */
export function printNginx(
  comment: readonly string[],
  directives: readonly Directive[],
  origin: SpecPath,
): { text: string; origins: string[] } {
  const lines = comment.map((line) => ({ text: `# ${line}`, origin: pathText(origin) }))
  for (const top of directives) lines.push(...printDirective(top, '', origin))
  return { text: lines.map(({ text }) => `${text}\n`).join(''), origins: lines.map((line) => line.origin) }
}

/** Why nginx cannot hold a text as it is, or undefined when it can. */
export function nginxRefusal(text: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'it contains a control character'
  // directives that take variables have no way to write the sign itself
  if (text.includes('$')) return 'it contains "$", which nginx takes for a variable'
  // a token must fit the buffer of the parser, NGX_CONF_BUFFER
  return Buffer.byteLength(text) > TOKEN_BYTES ? `it is longer than ${TOKEN_BYTES} bytes` : undefined
}

const TOKEN_BYTES = 2000

function printDirective(node: Directive, indent: string, above: SpecPath): { text: string; origin: string }[] {
  const path = node.origin ?? above
  const origin = pathText(path)
  const head = `${indent}${[node.name, ...node.args.map(printArgument)].join(' ')}`
  if (node.block === undefined) return [{ text: `${head};`, origin }]
  const inner = node.block.flatMap((child) => printDirective(child, `${indent}    `, path))
  return [{ text: `${head} {`, origin }, ...inner, { text: `${indent}}`, origin }]
}

function printArgument(argument: Argument): string {
  if (typeof argument !== 'string') return argument.text
  const refusal = nginxRefusal(argument)
  if (refusal !== undefined) throw new RangeError(`nginx cannot hold ${JSON.stringify(argument)}: ${refusal}`)
  if (/^[A-Za-z0-9_.:/@%+=[\]-]+$/.test(argument)) return argument
  return `"${argument.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
