/** What an argument or option value can be completed with. */
export type Completion = ListName | 'file' | readonly string[]

/** Lists that a completion script asks `gatectl complete` for, with the words typed before as arguments. */
export const LISTS = [
  'config-key',
  'config-value',
  'token',
  'backend-name',
  'certificate',
  'command',
  'user',
  'team',
] as const
export type ListName = (typeof LISTS)[number]

type Argument = { readonly name: string; readonly optional?: true; readonly complete?: Completion }

export type Option = {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  /** May be given more than once; options of type string only. */
  readonly multiple?: true
  /** Name of the value in the help; options of type string only. */
  readonly value?: string
  readonly description: string
  readonly complete?: Completion
}

/** How a command describes itself. */
export type CommandText = {
  /** One or two words. */
  readonly name: string
  /** Other names that work; shown in no list. */
  readonly aliases?: readonly string[]
  readonly summary: string
  /** Shown in no list and completed nowhere. */
  readonly hidden?: true
  readonly arguments: readonly Argument[]
  readonly options: Readonly<Record<string, Option>>
  /** What the help says after the options. */
  readonly notes?: string
}

/** Options that every command takes. */
export const GLOBAL_OPTIONS: Readonly<Record<string, Option>> = {
  json: { type: 'boolean', description: 'print JSON of a stable shape' },
  socket: { type: 'string', value: 'PATH', description: "the daemon's admin socket", complete: 'file' },
  gateway: { type: 'string', value: 'URL', description: 'a gateway elsewhere that you are signed in to' },
  help: { type: 'boolean', short: 'h', description: 'show help' },
  version: { type: 'boolean', description: 'show the version' },
}

/** One line, such as `gatectl config set KEY [VALUE] [options]`. */
export function usageOf(command: CommandText): string {
  const words = command.arguments.map(({ name, optional }) => (optional === true ? `[${name}]` : name))
  const options = Object.keys(command.options).length === 0 ? [] : ['[options]']
  return ['gatectl', command.name, ...words, ...options].join(' ')
}

/** Every name under which a command works: the aliases as commands of their own. */
export function withAliases<C extends CommandText>(commands: readonly C[]): readonly C[] {
  return commands.flatMap((command) => [
    command,
    ...(command.aliases ?? []).map((name) => ({ ...command, name, aliases: [], summary: `same as ${command.name}` })),
  ])
}
