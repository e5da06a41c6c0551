// Writes what is generated from schemas/ (JSON Schema, reference page, nix/generated/) and the compiler (systemd/);
// --check shows a difference instead and exits 3.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { shippedFiles } from '../compiler/emit/systemd/shipped.ts'
import { configSchema } from '../schemas/config/config.ts'
import { keyTree, layerSchema } from '../schemas/config/keys.ts'
import { layoutSchema } from '../schemas/deploy/layout.ts'
import { jsonSchemaText, specJsonSchema } from '../schemas/json-schema.ts'
import { specSchema } from '../schemas/spec/spec.ts'
import { hasNix } from '../test/support/nix.ts'
import { apiReference } from './api-reference.ts'
import { withClientPrograms } from './client-programs.ts'
import { comingFrom } from './coming-from.ts'
import { configReference } from './config-reference.ts'
import { dialectReference } from './dialect-reference.ts'
import { errorReference } from './error-reference.ts'
import { faultReference } from './fault-reference.ts'
import { nixFiles } from './nix-generated.ts'
import { nixosReference } from './nixos-reference.ts'
import { type JsonSchema, specReference } from './spec-reference.ts'
import { threatModel, withPowersTable } from './threat-model.ts'

const root = join(import.meta.dirname, '..')
const PAGES_WITH_POWERS = ['SECURITY.md', 'docs/architecture.md']

/** Path (from the root) -> text of every generated file. */
export function generatedFiles(): Record<string, string> {
  const tree = keyTree(configSchema)
  const config = jsonSchemaText(
    'gate/config.json',
    'A layer of the configuration of the Gate daemon',
    layerSchema(tree),
  )
  return {
    'schemas/json/config.json': config,
    'schemas/json/layout.json': jsonSchemaText('gate/layout.json', 'Layout of a host', layoutSchema),
    'schemas/json/spec.json': specJsonSchema(),
    'docs/spec-reference.md': specReference(z.toJSONSchema(specSchema, { io: 'input' }) as JsonSchema),
    'docs/api.md': apiReference(),
    'docs/clients.md': withClientPrograms(readFileSync(join(root, 'docs/clients.md'), 'utf8')),
    'docs/coming-from.md': comingFrom(),
    'docs/dialects.md': dialectReference(),
    'docs/error-codes.md': errorReference(),
    'docs/faults.md': faultReference(),
    'docs/threat-model.md': threatModel(),
    ...Object.fromEntries(
      PAGES_WITH_POWERS.map((page) => [page, withPowersTable(readFileSync(join(root, page), 'utf8'))]),
    ),
    'docs/configuration-reference.md': configReference(tree),
    ...Object.fromEntries(Object.entries(nixFiles()).map(([name, text]) => [`nix/generated/${name}`, text])),
    ...Object.fromEntries(Object.entries(shippedFiles()).map(([path, text]) => [`systemd/${path}`, text])),
  }
}

/** Read off files of the above, so made after them; where no nix-instantiate can read those, it stays as it is. */
function pagesOfFiles(): Record<string, string> {
  return hasNix ? { 'docs/nixos-options.md': nixosReference() } : {}
}

function writeOrCheck(files: Readonly<Record<string, string>>, isCheck: boolean): void {
  for (const [path, text] of Object.entries(files)) {
    const file = join(root, path)
    if (!isCheck) {
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
      continue
    }
    if (readFileSync(file, 'utf8') === text) continue
    console.error(`${path} is not what its source makes: run "npm run generate" and commit the result`)
    process.exitCode = 3
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
  writeOrCheck(generatedFiles(), values.check)
  writeOrCheck(pagesOfFiles(), values.check)
}
