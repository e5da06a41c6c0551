import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { specJsonSchema } from '../../../schemas/json-schema.ts'
import { sh } from '../../../syntax/shell/print.ts'
import { codeOf } from '../../../system/error-code.ts'
import { holdDirectory } from '../../../system/held-directory.ts'
import { replaceFiles } from '../../../system/replace-files.ts'
import { failure, usageFailure } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { askForSpec, checkedSpec } from './first-questions.ts'
import { type Answers, parseBackend, SCHEMA_FILE, withImages } from './first-spec.ts'

export const run: Run = async (invocation) => {
  const file = invocation.arguments[0] ?? 'gate.toml'
  try {
    return await writeSpec(file, invocation)
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
    const [reason, hint] = REASONS[codeOf(error)] ?? [`cannot be written (${codeOf(error)})`]
    throw failure('FILE_NOT_WRITTEN', `${file}: ${reason}`, { hint: hint?.(dirname(file)), cause: error })
  }
}

const REASONS: Readonly<Record<string, readonly [reason: string, hint: (directory: string) => string]>> = {
  ENOENT: ['its directory is not there', (directory) => sh`mkdir -p ${directory}`],
  ENOTDIR: ['what it would be in is not a directory', () => 'write it elsewhere'],
  EACCES: ['permission denied', () => 'write it where you may'],
}

async function writeSpec(file: string, invocation: Invocation): Promise<0> {
  const { flag, json, print, stdin, stdout } = invocation
  // also for a link to nothing
  if (lstatSync(file, { throwIfNoEntry: false }) !== undefined && !flag('force')) {
    const detail = `${file} already exists`
    const hint = 'give another FILE, or --force to overwrite it'
    throw failure('FILE_EXISTS', detail, { hint })
  }
  const asks = !flag('yes') && stdin.isTTY && stdout.isTTY
  if (!asks && !flag('yes'))
    throw usageFailure('gatectl init: there is no terminal to ask for confirmation', 'give --yes and options')
  const schemaFile = join(dirname(file), SCHEMA_FILE)
  refuseForeign(schemaFile)
  const given = givenAnswers(invocation)
  const text = asks ? await askForSpec(invocation, given) : checkedSpec(given)
  writeBoth(dirname(file), { name: basename(file), text, isNew: !flag('force') })
  if (json) print(JSON.stringify({ file, schemaFile }))
  else print(`${file} and ${schemaFile} (for editors) written; next: ${sh`gatectl check ${file}`}`)
  return 0
}

/** Into a directory that may be another user's: its links give way, and none leads anywhere. */
function writeBoth(directory: string, { name, text, isNew }: { name: string; text: string; isNew: boolean }): void {
  const held = holdDirectory(directory)
  const entry = (inner: string, content: string) => ({ file: join(held.at, inner), text: content, mode: 0o644 })
  try {
    if (isNew) writeFileSync(join(held.at, name), text, { flag: 'wx' })
    else replaceFiles([entry(name, text)], { links: 'replace' })
    replaceFiles([entry(SCHEMA_FILE, specJsonSchema())], { links: 'replace' })
  } finally {
    held.release()
  }
}

function givenAnswers({ text, texts }: Invocation): Answers {
  return {
    domain: text('domain'),
    profile: text('profile') ?? 'desktop',
    port: text('port') ?? '3000',
    proxy: text('proxy') ?? 'none',
    tls: text('tls') ?? 'none',
    budget: text('budget') ?? 'unlimited',
    gpu: text('gpu') ?? 'none',
    upstreams: texts('upstream'),
    backends: withImages(texts('backend').map(parseBackend), texts('image')),
  }
}

/** Our own schema may be older; another file of that name is not ours to replace. */
function refuseForeign(file: string): void {
  if (!existsSync(file) || readFileSync(file, 'utf8').includes('"$id": "gate/spec.json"')) return
  const detail = `${file} already exists and is not a schema of Gate`
  const hint = 'rename it, or write the spec elsewhere'
  throw failure('FILE_EXISTS', detail, { hint })
}
