// Writes what is generated from schemas/ (JSON Schema); --check shows a difference instead and exits 3.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { configSchema } from '../schemas/config.ts'
import { specSchema } from '../schemas/spec.ts'

const root = join(import.meta.dirname, '..')

/** Path (from the root) -> text of every generated file. */
export function generatedFiles(): Record<string, string> {
  const config = {
    $id: 'gate/config.json',
    title: 'Gate daemon configuration',
    ...z.toJSONSchema(configSchema, { io: 'input' }),
  }
  const spec = { $id: 'gate/spec.json', title: 'Gate spec (gate.toml)', ...z.toJSONSchema(specSchema, { io: 'input' }) }
  return {
    'schemas/json/config.json': `${JSON.stringify(config, null, 2)}\n`,
    'schemas/json/spec.json': `${JSON.stringify(spec, null, 2)}\n`,
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
  for (const [path, text] of Object.entries(generatedFiles())) {
    const file = join(root, path)
    if (!values.check) {
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
      continue
    }
    if (readFileSync(file, 'utf8') === text) continue
    console.error(`${path} differs from schemas/: run "npm run generate" and commit the result`)
    process.exitCode = 3
  }
}
