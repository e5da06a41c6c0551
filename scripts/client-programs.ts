import { CLIENT_NAMES, CLIENTS, type Client, type ClientFile, type Gateway } from '../ctl/commands/client/clients.ts'
import { withGateway } from '../ctl/commands/client/written-file.ts'

const [BEGIN, END] = ['<!-- made from ctl/commands/client/clients.ts by "npm run generate" -->', '<!-- end -->']

/** Puts what `gatectl client` writes into a page, between its two marks. @throws Error when they are not there */
export function withClientPrograms(page: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (from === -1 || to < from) throw new Error(`the page has no ${BEGIN} … ${END}`)
  return `${page.slice(0, from)}${BEGIN}\n\n${CLIENT_NAMES.map(section).join('\n')}\n${page.slice(to)}`
}

const EXAMPLE: Gateway = {
  url: 'https://gate.example.com',
  keyFile: '',
  home: '/home/ann',
  models: [{ id: 'qwen3', contextTokens: 65_536, outputTokens: 8_192, images: false, tools: true, reasoning: true }],
  smallModel: 'qwen3',
}

function section(name: (typeof CLIENT_NAMES)[number]): string {
  const { title, files, steps, remarks }: Client = CLIENTS[name]
  const gateway = { ...EXAMPLE, keyFile: `/home/ann/.config/gate/keys/${name}` }
  const left = steps(gateway)
  const isShell = left.length === 1
  return [
    `### ${title}`,
    '',
    `\`gatectl client ${name}\`, or by hand:`,
    '',
    ...files(gateway).flatMap(fileLines),
    ...(isShell ? ['```sh', ...left, '```', ''] : left.map((step, at) => `${at + 1}. ${step}`)),
    ...(isShell ? [] : ['']),
    ...remarks.flatMap((remark) => [remark, '']),
  ].join('\n')
}

function fileLines(file: ClientFile): readonly string[] {
  const edit = withGateway('', file)
  if (edit.kind === 'refused') throw new Error(edit.reason)
  const language = { json: 'json', toml: 'toml', yaml: 'yaml', env: 'sh' }[file.format]
  return [`\`~/${file.path}\``, '', `\`\`\`${language}`, edit.text.trimEnd(), '```', '']
}
