// `npm run test:agents`: installs the coding agents of test/agents/ (1.5 GB) and runs each of them through Gate.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { installPackage } from './install-package.ts'

installPackage('test/agents')
const { status } = spawnSync('vitest', ['run', '--project', 'agents'], {
  cwd: join(import.meta.dirname, '..'),
  stdio: 'inherit',
})
process.exitCode = status ?? 1
