// Manual pages in the language of man(7). The only place that escapes for it.

/** One part of a page; texts are plain, paragraphs of `text` are separated by empty lines. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  /** Lines that stay as they are. */
  | { readonly kind: 'literal'; readonly text: string }
  /** A term in bold and what it means. */
  | { readonly kind: 'term'; readonly term: string; readonly text: string }

export type Page = {
  readonly name: string
  readonly section: 1 | 5 | 8
  /** After the dash in NAME; no full stop. */
  readonly summary: string
  readonly sections: readonly { readonly title: string; readonly parts: readonly Part[] }[]
  /** Other pages, as `gatectl(1)`. */
  readonly seeAlso: readonly string[]
}

/** Prints a page. @param date as `2026-11-20`  @see man(7) */
export function printPage({ name, section, summary, sections, seeAlso }: Page, version: string, date: string): string {
  const head = `.TH "${escaped(name.toUpperCase())}" ${section} "${date}" "Gate ${escaped(version)}" "Gate"`
  const body = sections.flatMap(({ title, parts }) => [`.SH "${escaped(title)}"`, ...parts.flatMap(printPart)])
  const others = seeAlso.map((page) =>
    page.replace(/^(.*)(\(\d\))$/, (_, other: string, at: string) => `.BR ${escaped(other)} ${at}`),
  )
  const also =
    others.length === 0
      ? []
      : ['.SH "SEE ALSO"', ...others.map((line, i) => (i < others.length - 1 ? `${line} ,` : line))]
  return `${[head, '.SH "NAME"', `${escaped(name)} \\- ${escaped(summary)}`, ...body, ...also].join('\n')}\n`
}

function printPart(part: Part): string[] {
  switch (part.kind) {
    case 'text':
      return part.text.split(/\n\n+/).flatMap((paragraph) => ['.PP', ...lines(paragraph)])
    case 'literal':
      return ['.PP', '.nf', ...lines(part.text), '.fi']
    case 'term':
      return ['.TP', `\\fB${escaped(part.term)}\\fR`, ...lines(part.text)]
  }
}

/** A line must not begin with a dot or an apostrophe, which are requests; an empty one would break the page. */
function lines(text: string): string[] {
  return text.split('\n').map((line) => `${/^[.']/.test(line) ? '\\&' : ''}${escaped(line)}`)
}

/** A hyphen that is typed, not typeset; no character of the text begins an escape. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
}
