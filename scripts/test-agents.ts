// `npm run test:agents`: installs the coding agents and runs each of them through Gate.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { installAgents } from './install-agents.ts'

installAgents()
const root = join(import.meta.dirname, '..')
const { status } = spawnSync('vitest', ['run', '--project', 'agents'], { cwd: root, stdio: 'inherit' })
process.exitCode = status ?? 1
