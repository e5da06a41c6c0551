// Writes what the compiler makes of every spec in test/golden/ as the expected output; review the difference like code.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { baseOf, compileGolden, expectedGolden, GOLDEN, goldenNames } from '../test/support/golden.ts'
import { diffOf } from '../test/support/golden-diff.ts'

if (import.meta.main) {
  // what is a diff follows what it is a diff of
  const names = goldenNames().sort((a, b) => Number(baseOf(a) !== undefined) - Number(baseOf(b) !== undefined))
  for (const name of names) {
    const base = baseOf(name)
    const folder = join(GOLDEN, name, 'expected')
    rmSync(folder, { recursive: true, force: true })
    const diff = join(GOLDEN, name, 'expected.diff')
    rmSync(diff, { force: true })
    if (base !== undefined) {
      writeFileSync(diff, diffOf(expectedGolden(base), compileGolden(name)))
      continue
    }
    for (const [path, text] of compileGolden(name)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
  }
  spawnSync('git', ['status', '--short', GOLDEN], { stdio: 'inherit' })
}
