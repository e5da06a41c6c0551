// Run inside a lab by the Node under test: node killed-apply.ts SPEC N. Applies the spec with the installed sources and
// dies, as by kill -9, before the N-th thing that would change the host. When there are fewer, it ends as gatectl
// apply does.

import type { Invocation } from '../../ctl/invocation.ts'
import type { Host } from '../../host/host.ts'

const [spec = '', limit = ''] = process.argv.slice(2)
const dist = '/usr/lib/gate/dist'
const { localHost } = (await import(`${dist}/host/host.js`)) as typeof import('../../host/host.ts')
const { applySpec } = (await import(
  `${dist}/ctl/commands/host/apply.js`
)) as typeof import('../../ctl/commands/host/apply.ts')

let effects = 0
function effect(name: string, about: unknown): void {
  effects++
  if (effects < Number(limit)) return
  console.log(`killed before ${name} ${JSON.stringify(about)}`)
  process.kill(process.pid, 'SIGKILL')
}

const real = localHost()
const host: Host = {
  ...real,
  write: (path, ...rest) => {
    effect('write', path)
    real.write(path, ...rest)
  },
  link: (path, target) => {
    effect('link', path)
    real.link(path, target)
  },
  makeDirectory: (path, mode) => {
    effect('makeDirectory', path)
    real.makeDirectory(path, mode)
  },
  rename: (from, to) => {
    effect('rename', to)
    real.rename(from, to)
  },
  remove: (path) => {
    effect('remove', path)
    real.remove(path)
  },
  removeEmpty: (path) => {
    effect('removeEmpty', path)
    real.removeEmpty(path)
  },
  removeTree: (path) => {
    effect('removeTree', path)
    real.removeTree(path)
  },
  run: (command, options) => {
    effect('run', command)
    return real.run(command, options)
  },
}

function notAsked(): never {
  throw new Error('an apply asks no daemon')
}

const { env, stdin, stdout, stderr } = process
const invocation: Invocation = {
  env,
  stdin,
  stdout,
  stderr,
  isRoot: true,
  arguments: [spec],
  text: () => undefined,
  texts: () => [],
  flag: () => false,
  json: false,
  admin: { ask: notAsked, lines: notAsked, to: notAsked },
  commands: [],
  print: (line) => console.log(line),
  printJson: () => {},
  note: () => {},
}
try {
  process.exitCode = await applySpec(invocation, host)
  console.log(`ended after ${effects} effects`)
} catch (error) {
  console.log('failed', error)
  process.exitCode = 1
}
