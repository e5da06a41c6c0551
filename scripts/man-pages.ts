// Manual pages, made from what the programs themselves say: the table of gatectl's commands, the help of the daemon and
// the agent, the schema of the spec.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { z } from 'zod'
import { type CommandText, GLOBAL_OPTIONS, type Option, usageOf } from '../ctl/command.ts'
import { COMMANDS } from '../ctl/command-table.ts'
import { specSchema } from '../schemas/spec/spec.ts'
import { packageVersion } from '../system/version.ts'
import { type Page, type Part, printPage } from './roff.ts'
import { type JsonSchema, keysBelow, typeText } from './spec-reference.ts'

const root = join(import.meta.dirname, '..')

/** File name such as `gatectl.1` -> text. @param date of the pages, as `2026-11-20` */
export function manPages(date: string): Record<string, string> {
  const visible = COMMANDS.filter(({ hidden }) => hidden !== true)
  const pages = [
    overview(visible),
    ...visible.map(commandPage),
    programPage('gate-daemon', 'a private AI gateway', ['gatectl(1)', 'gate.toml(5)']),
    programPage('gate-relay', 'makes gateways reachable from anywhere', ['gatectl(1)', 'gate-daemon(8)']),
    programPage('gate-agent', 'lets the gateway start and stop one backend', ['gate-daemon(8)', 'gatectl(1)']),
    specPage(),
  ]
  const version = packageVersion()
  return Object.fromEntries(pages.map((page) => [`${page.name}.${page.section}`, printPage(page, version, date)]))
}

const pageName = ({ name }: CommandText): string => `gatectl-${name.replaceAll(' ', '-')}`

function overview(commands: readonly CommandText[]): Page {
  return {
    name: 'gatectl',
    section: 1,
    summary: 'compile specs, deploy them, and talk to a running gate-daemon',
    sections: [
      { title: 'SYNOPSIS', parts: [{ kind: 'text', text: 'gatectl [--json] [--socket PATH] COMMAND' }] },
      {
        title: 'COMMANDS',
        parts: commands.map((command) => ({ kind: 'term', term: `${pageName(command)}(1)`, text: command.summary })),
      },
      { title: 'OPTIONS', parts: optionParts(GLOBAL_OPTIONS) },
      {
        title: 'EXIT STATUS',
        parts: [
          { kind: 'term', term: '0', text: 'done' },
          { kind: 'term', term: '1', text: 'failed' },
          { kind: 'term', term: '2', text: 'wrong usage' },
          { kind: 'term', term: '3', text: 'a check failed or found a difference' },
        ],
      },
    ],
    seeAlso: ['gate-daemon(8)', 'gate.toml(5)'],
  }
}

function commandPage(command: CommandText): Page {
  const { summary, options, notes } = command
  const sections = [
    { title: 'SYNOPSIS', parts: [{ kind: 'text' as const, text: usageOf(command) }] },
    ...(notes === undefined ? [] : [{ title: 'DESCRIPTION', parts: [{ kind: 'literal' as const, text: notes }] }]),
    { title: 'OPTIONS', parts: optionParts({ ...options, ...GLOBAL_OPTIONS }) },
  ]
  return { name: pageName(command), section: 1, summary, sections, seeAlso: ['gatectl(1)'] }
}

function optionParts(options: Readonly<Record<string, Option>>): Part[] {
  return Object.entries(options).map(([name, { short, value, description }]) => {
    const long = value === undefined ? `--${name}` : `--${name} ${value}`
    return { kind: 'term', term: short === undefined ? long : `-${short}, ${long}`, text: description }
  })
}

/** What the program prints for --help, as it is. @throws Error when it prints nothing */
function programPage(name: string, summary: string, seeAlso: readonly string[]): Page {
  const args = ['--disable-warning=ExperimentalWarning', join(root, 'bin', `${name}.ts`), '--help']
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  const help = stdout.replace(/^Usage: /, '')
  const cut = help.indexOf('\n\n')
  if (cut < 0) throw new Error(`${name} --help has no usage and description: ${stdout}${stderr}`)
  return {
    name,
    section: 8,
    summary,
    sections: [
      { title: 'SYNOPSIS', parts: [{ kind: 'literal', text: help.slice(0, cut) }] },
      { title: 'DESCRIPTION', parts: [{ kind: 'literal', text: help.slice(cut + 2).trimEnd() }] },
    ],
    seeAlso,
  }
}

function specPage(): Page {
  const schema = z.toJSONSchema(specSchema, { io: 'input' }) as JsonSchema
  const sections = Object.entries(schema.properties ?? {}).filter(([name]) => name !== '$schema')
  return {
    name: 'gate.toml',
    section: 5,
    summary: 'what one host runs: the spec of Gate',
    sections: [
      {
        title: 'DESCRIPTION',
        parts: [
          {
            kind: 'text',
            text: 'TOML, or JSON with the same keys. <name> stands for a name that you choose. Lengths carry their unit: "10m", "256MiB". A spec never holds a secret, only a reference to one: { credential = "NAME" }, { env = "NAME" } or { file = "/PATH" }.',
          },
        ],
      },
      ...sections.map(([name, section]) => ({
        title: name,
        parts: [{ kind: 'text' as const, text: section.description ?? '' }, ...keysBelow([name], section).map(keyPart)],
      })),
    ],
    seeAlso: ['gatectl-check(1)', 'gatectl-compile(1)', 'gatectl-init(1)'],
  }
}

function keyPart({ path, schema, needed }: ReturnType<typeof keysBelow>[number]): Part {
  const { description = '' } = schema
  const fallback = schema.default === undefined ? '' : `, default ${JSON.stringify(schema.default)}`
  const type = `${typeText(schema).replaceAll('`', '')}${needed ? ', needed' : fallback}`
  return { kind: 'term', term: path.join('.'), text: description === '' ? type : `${description}\n(${type})` }
}
