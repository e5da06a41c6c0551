import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { installPackage } from './install-package.ts'

const root = join(import.meta.dirname, '..')
const REQUIREMENTS = join(root, 'test/agents/requirements.txt')
const AIDER = join(root, 'test/agents/node_modules/.aider')

/** Installs the coding agents of test/agents/ (1.5 GB, and aider 0.8 GB). @throws Error when npm fails */
export function installAgents(): void {
  installPackage('test/agents')
  installAider()
}

/** aider is a Python program of 100 packages; where no Python is there that it runs on, its test says so. */
function installAider(): void {
  const installed = join(AIDER, '.installed-requirements')
  if (existsSync(installed) && readFileSync(installed).equals(readFileSync(REQUIREMENTS))) return
  const fits = 'import ensurepip, sys, venv; sys.exit(not (3, 10) <= sys.version_info < (3, 13))'
  const pythons = ['python3', 'python3.12', 'python3.11', 'python3.10']
  const python = pythons.find((name) => spawnSync(name, ['-c', fits]).status === 0)
  if (python === undefined) {
    console.log('no Python of 3.10 to 3.12 for aider, which is left out')
    return
  }
  console.log('installing aider')
  const run = (program: string, ...args: string[]) => spawnSync(program, args, { stdio: 'inherit' }).status === 0
  const pip = join(AIDER, 'bin/pip')
  if (run(python, '-m', 'venv', AIDER) && run(pip, 'install', '--quiet', '--requirement', REQUIREMENTS)) {
    copyFileSync(REQUIREMENTS, installed)
    return
  }
  console.log('aider could not be installed, and is left out')
  rmSync(AIDER, { recursive: true, force: true })
}
