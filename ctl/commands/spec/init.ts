import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { compile } from '../../../compiler/compile.ts'
import { DEPLOYED_TARGETS } from '../../../host/plan/desired.ts'
import { specJsonSchema } from '../../../schemas/json-schema.ts'
import { failure, usageFailure } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { diagnosticText } from '../../output/diagnostic-text.ts'
import { type Answers, firstSpec, parseBackend, SCHEMA_FILE, usualImage, withImages } from './first-spec.ts'

export const run: Run = async (invocation) => {
  const { arguments: words, flag, json, print, stdin, stdout } = invocation
  const file = words[0] ?? 'gate.toml'
  if (existsSync(file) && !flag('force')) {
    const detail = `${file} already exists`
    const hint = 'give another FILE, or --force to overwrite it'
    throw failure('FILE_EXISTS', detail, { hint })
  }
  const asks = !flag('yes') && stdin.isTTY && stdout.isTTY
  if (!asks && !flag('yes'))
    throw usageFailure('gatectl init: there is no terminal to ask for confirmation', 'give --yes and options')
  const schemaFile = join(dirname(file), SCHEMA_FILE)
  refuseForeign(schemaFile)
  const text = firstSpec(asks ? await ask(invocation) : givenAnswers(invocation))
  refuseBroken(text)
  writeFileSync(file, text, { flag: flag('force') ? 'w' : 'wx' })
  writeFileSync(schemaFile, specJsonSchema())
  if (json) print(JSON.stringify({ file, schemaFile }))
  else print(`${file} and ${schemaFile} (for editors) written; next: gatectl check ${file}`)
  return 0
}

function givenAnswers({ text, texts }: Invocation): Answers {
  return {
    domain: text('domain'),
    profile: text('profile') ?? 'desktop',
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

/** What an option already says is not asked. */
async function ask(invocation: Invocation): Promise<Answers> {
  const given = givenAnswers(invocation)
  const { text, texts, stdin, stderr } = invocation
  const terminal = createInterface({ input: stdin, output: stderr })
  // an iterator keeps lines that arrive before they are asked for, as pasted ones do
  const answers = terminal[Symbol.asyncIterator]()
  const question = async (about: string, fallback: string): Promise<string> => {
    stderr.write(`${about} [${fallback || 'none'}]: `)
    const answer = await answers.next()
    if (answer.done === true)
      throw usageFailure('gatectl init: the input ended before the last question', 'nothing was written')
    return answer.value.trim() || fallback
  }
  const list = (answer: string) => answer.split(/[\s,]+/).filter((word) => word !== '')
  try {
    const domain = text('domain') ?? (await question('Domain of the gateway, such as ai.home.arpa', ''))
    const profile = text('profile') ?? (await question('Machine: desktop, small-vps, medium-vps, large-vps', 'desktop'))
    const upstreams =
      texts('upstream').length > 0 ? given.upstreams : list(await question('Providers, such as openai, anthropic', ''))
    const backends =
      texts('backend').length > 0
        ? given.backends
        : list(await question('Local engines as name=engine:model, such as qwen=vllm:Qwen/Qwen3-8B', '')).map(
            parseBackend,
          )
    const gpu =
      backends.length === 0 ? 'none' : (text('gpu') ?? (await question('GPU: nvidia, amd, vulkan, none', 'none')))
    const images: string[] = []
    for (const { name, engine, image } of texts('backend').length > 0 ? given.backends : backends)
      if (image === undefined)
        images.push(
          `${name}=${await question(`Image of ${name}, by digest (a tag is a warning)`, usualImage(engine, gpu))}`,
        )
    return {
      domain: domain === '' ? undefined : domain,
      profile,
      gpu,
      upstreams,
      backends: withImages(backends, images),
    }
  } finally {
    terminal.close()
  }
}

/** What was answered may be no domain, no provider: the compiler knows, and nothing is written. */
function refuseBroken(text: string): void {
  const { kind, diagnostics } = compile(text, { file: 'the new spec', targets: DEPLOYED_TARGETS })
  if (kind === 'compiled') return
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  throw usageFailure('these answers do not make a valid spec', diagnosticText(errors, text))
}
