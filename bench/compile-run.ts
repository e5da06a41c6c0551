// One measured run in a process of its own: node bench/compile-run.ts KIND COUNT [FILE]; prints one line of JSON.
import { readFileSync, writeFileSync } from 'node:fs'
import { parse as parseToml } from 'smol-toml'
import { parse, stringify } from 'yaml'
import { compile } from '../compiler/compile.ts'

/** What one run took. Memory is the most that the process ever held. */
export type CompileRun = { readonly wallMs: number; readonly cpuMs: number; readonly maxRssBytes: number }

const IMAGE = `registry.example.org/engine@sha256:${'0'.repeat(64)}`

/** A spec of so many backends, each with what people write. */
export function specText(count: number): string {
  const backends = Array.from({ length: count }, (_, i) => [
    `[backends.b${i}]`,
    'engine = "llama-cpp"',
    `image = "${IMAGE}"`,
    `model = "model-${i}.gguf"`,
    'listen = "tcp"',
    'api_key = { env = "BACKEND_KEY" }',
    'memory = "8GiB"',
    'args = ["--ctx-size", "8192"]',
    'environment = { LLAMA_ARG_THREADS = "4" }',
    '',
  ])
  return backends.flat().join('\n')
}

/** The Compose file of such a spec, without the key "name", which docker-compose 1 does not know. */
export function composeText(count: number): string {
  const result = compile(specText(count), { targets: ['compose'] })
  if (result.kind === 'refused') throw new Error(`the bench's own spec is refused: ${result.diagnostics[0]?.message}`)
  return result.files.find(({ path }) => path === 'compose/compose.yaml')?.text.replace(/^name: .*\n/m, '') ?? ''
}

function work(kind: string, count: number, file: string | undefined): () => void {
  const text = kind === 'yaml' ? readFileSync(file ?? '', 'utf8') : specText(count)
  switch (kind) {
    case 'compose-file':
      return () => writeFileSync(file ?? '', composeText(count))
    case 'toml':
      return () => JSON.stringify(parseToml(text))
    case 'yaml':
      return () => stringify(parse(text))
    default: {
      const targets = kind === 'quadlet' ? (['quadlet'] as const) : (['compose'] as const)
      return () => {
        if (compile(text, { targets }).kind === 'refused') throw new Error("the bench's own spec is refused")
      }
    }
  }
}

if (import.meta.main) {
  const [kind = 'quadlet', count = '1000', file] = process.argv.slice(2)
  const run = work(kind, Number(count), file)
  const [cpu, start] = [process.cpuUsage(), performance.now()]
  run()
  const wallMs = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  const result: CompileRun = {
    wallMs,
    cpuMs: (user + system) / 1000,
    maxRssBytes: process.resourceUsage().maxRSS * 1024,
  }
  console.log(JSON.stringify(result))
}
