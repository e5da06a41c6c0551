import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isLoopback } from '../../../schemas/words/address.ts'
import { setsInFlat } from '../../../syntax/flat/set.ts'
import { sh } from '../../../syntax/shell/print.ts'
import { type Path, valueAt } from '../../../syntax/tree.ts'
import { codeOf } from '../../../system/error-code.ts'
import { replaceFiles } from '../../../system/replace-files.ts'
import { failure, usageFailure } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { defaultKeyFile, keepNoKey, keyIn, makeKey } from './client-key.ts'
import { CLIENT_NAMES, CLIENTS, type Client, type ClientFile, type ClientModel, type Gateway } from './clients.ts'
import { asUrl, ownUrls } from './gateway-url.ts'
import { offeredModels } from './offered-models.ts'
import { withGateway } from './written-file.ts'

export const run: Run = async (invocation) => {
  const {
    arguments: [word = ''],
    flag,
    json,
    print,
    printJson,
  } = invocation
  const client = clientOf(word)
  if (flag('print') && flag('new-key'))
    throw usageFailure('--print writes nothing, so it cannot keep a new key', 'leave one of them out')
  const home = homeOf(invocation)
  const isSignIn = flag('sign-in')
  const wanted = isSignIn ? await signInOf(word, client, invocation) : await keyed(word, client, home, invocation)
  const { keyFile, steps } = wanted
  const files = wanted.files.map((file) => ({ ...file, path: join(home, file.path) }))
  if (flag('print')) {
    const shown = files.map((file) => ({ path: file.path, text: editedText('', file) }))
    if (json) printJson({ files: shown, steps })
    else print([...shown.map(({ path, text }) => `# ${path}\n${text}`), ...steps].join('\n'))
    return 0
  }
  const written = writeAll(files)
  for (const { path, key } of rivalsIn(files)) {
    const before = isSignIn ? 'the sign-in' : 'the key of the gateway, and sent to it'
    invocation.note(`${path}: ${key} is taken before ${before}: remove it`)
  }
  if (json) printJson({ ...(keyFile !== undefined && { key_file: keyFile }), files: written, steps })
  else
    print(
      [
        ...written.map(({ path, change }) => `${change.padEnd(9)} ${path}`),
        ...(keyFile === undefined ? [] : [`key in    ${keyFile}`]),
        ...(steps.length === 1 ? [`start     ${steps[0]}`] : steps.map((step, at) => `step ${at + 1}    ${step}`)),
      ].join('\n'),
    )
  return 0
}

function clientOf(word: string): Client {
  const name = CLIENT_NAMES.find((known) => known === word)
  if (name !== undefined) return CLIENTS[name]
  throw usageFailure(`unknown client "${word}"`, `there are: ${CLIENT_NAMES.join(', ')}`)
}

/** The files of a user are written as that user, else it could not change them afterwards. */
function homeOf({ env }: Invocation): string {
  const home = env['HOME'] ?? ''
  const owner = statSync(home, { throwIfNoEntry: false })?.uid
  if (owner === undefined) throw usageFailure('HOME names no directory', 'set it to the home directory of the user')
  if (owner === process.getuid?.()) return home
  throw failure('FILE_NOT_WRITTEN', `${home} belongs to another user`, { hint: 'run it as that user' })
}

/** What is written for a client, and what is left to do by hand. */
type Wanted = {
  /** undefined: people sign in, and there is no key. */
  readonly keyFile: string | undefined
  readonly files: readonly ClientFile[]
  readonly steps: readonly string[]
}

async function keyed(word: string, client: Client, home: string, invocation: Invocation): Promise<Wanted> {
  const gateway = await gatewayFor(word, home, invocation)
  return { keyFile: gateway.keyFile, files: client.files(gateway), steps: client.steps(gateway) }
}

async function signInOf(word: string, { signIn }: Client, { admin, flag, text, texts }: Invocation): Promise<Wanted> {
  if (signIn === undefined) throw usageFailure(`${word} cannot sign in to a gateway`, 'leave out --sign-in')
  if (flag('new-key') || text('key-file') !== undefined || texts('model').length > 0)
    throw usageFailure('--sign-in takes no key and no model', 'leave out --new-key, --key-file and --model')
  const given = text('url')
  const url = given === undefined ? (await ownUrls(admin)).url : asUrl(given)
  if (!url.startsWith('https:') && !isLoopback(new URL(url).hostname))
    throw usageFailure(`${url}: ${word} signs in over HTTPS, or on this host`, 'name an https:// URL with --url')
  return { keyFile: undefined, files: signIn(url), steps: [word, `enter the code that it shows at ${url}/device`] }
}

async function gatewayFor(word: string, home: string, invocation: Invocation): Promise<Gateway> {
  const { admin, flag, text, texts, note } = invocation
  const given = text('url')
  const { url, at } = given === undefined ? await ownUrls(admin) : { url: asUrl(given), at: asUrl(given) }
  const keyFile = text('key-file') ?? defaultKeyFile(home, word)
  const key = flag('new-key') ? await makeKey(admin, word, keyFile) : keyIn(keyFile)
  const offered = await offeredModels(at, key)
  if (offered === null) throw noKey(url, word, keyFile, key)
  if (key === undefined && !flag('print')) keepNoKey(keyFile)
  if (((statSync(keyFile, { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0)
    note(`others may read the key: ${sh`chmod 600 ${keyFile}`}`)
  const models = chosen(offered, texts('model'), url)
  return { url, keyFile, home, models, smallModel: texts('model')[1] ?? models[0].id }
}

function noKey(url: string, client: string, keyFile: string, key: string | undefined) {
  const detail =
    key === undefined ? `${url} wants a key, and ${keyFile} is not there` : `${url} refuses the key in ${keyFile}`
  const hint =
    `on the gateway's host: ${sh`gatectl client ${client} --new-key`}\n` +
    `elsewhere, with a key that was made there: ${sh`install -D -m 600 /dev/stdin ${keyFile}`}`
  return failure('NO_GATEWAY', detail, { hint })
}

function chosen(offered: readonly ClientModel[], wanted: readonly string[], url: string): Gateway['models'] {
  const missing = wanted.find((id) => !offered.some((model) => model.id === id))
  if (missing !== undefined)
    throw usageFailure(`--model: ${url} offers no model "${missing}"`, `it offers: ${namesOf(offered)}`)
  const first = new Set(wanted.length > 0 ? wanted : offered.map(({ id }) => id))
  const [model, ...others] = [...first].flatMap((id) => offered.find((one) => one.id === id) ?? [])
  if (model !== undefined) return [model, ...others]
  throw failure('NO_GATEWAY', `${url} offers no model`, { hint: 'gatectl status shows its upstreams' })
}

const MOST_NAMED = 20
const namesOf = (models: readonly ClientModel[]): string =>
  models.length === 0
    ? 'none'
    : models
        .slice(0, MOST_NAMED)
        .map(({ id }) => id)
        .join(', ')

type Written = { readonly path: string; readonly change: 'new' | 'changed' | 'unchanged' }

/** All of them, or none when one cannot be changed. @throws Failure FILE_NOT_WRITTEN */
function writeAll(files: readonly ClientFile[]): readonly Written[] {
  const edits = files.map((file) => {
    const before = textNow(file.path)
    const text = editedText(before ?? '', file)
    return {
      path: file.path,
      text,
      change: before === undefined ? 'new' : before === text ? 'unchanged' : 'changed',
    } as const
  })
  try {
    // links stay: many keep such files elsewhere
    replaceFiles(
      edits.filter(({ change }) => change !== 'unchanged').map(({ path, text }) => ({ file: path, text, mode: 0o600 })),
      { links: 'follow', parentMode: 0o700 },
    )
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
    throw failure('FILE_NOT_WRITTEN', error.message, { hint: 'nothing was changed, or run it again', cause: error })
  }
  return edits.map(({ path, change }) => ({ path, change }))
}

function rivalsIn(files: readonly ClientFile[]): readonly { readonly path: string; readonly key: string }[] {
  return files.flatMap(({ path, format, rivals = [] }) => {
    if (rivals.length === 0) return []
    const text = textNow(path) ?? ''
    const isIn =
      format === 'yaml' || format === 'env'
        ? ([key = '']: Path) => setsInFlat(text, format, key)
        : (rival: Path) => valueAt(JSON.parse(text || '{}'), rival) !== undefined
    return rivals.filter(isIn).map((rival) => ({ path, key: rival.join('.') }))
  })
}

function textNow(path: string): string | undefined {
  try {
    // to read a pipe would wait for what writes to it
    if (statSync(path).isFile()) return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw failure('FILE_UNREADABLE', `${path}: cannot be read (${codeOf(error)})`, { cause: error })
  }
  throw failure('FILE_UNREADABLE', `${path}: it is not a regular file`)
}

function editedText(before: string, file: ClientFile): string {
  const edit = withGateway(before, file)
  if (edit.kind === 'edited') return edit.text
  const hint = 'put in by hand what the same command prints with --print'
  throw failure('FILE_NOT_WRITTEN', `${file.path} is not changed: ${edit.reason}`, { hint })
}
