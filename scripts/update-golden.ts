// Writes what the compiler makes of every spec in test/golden/ as the expected output; review the difference like code.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { compileGolden, GOLDEN, goldenNames } from '../test/support/golden.ts'

if (import.meta.main) {
  for (const name of goldenNames()) {
    const folder = join(GOLDEN, name, 'expected')
    rmSync(folder, { recursive: true, force: true })
    for (const [path, text] of compileGolden(name)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
  }
  spawnSync('git', ['status', '--short', GOLDEN], { stdio: 'inherit' })
}
