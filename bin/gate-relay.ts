#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { packageVersion } from '../system/version.ts'

const USAGE = `Usage: gate-relay [--instance NAME] [--state-directory DIR] [--config FILE] [--declared FILE] [--admin-socket PATH]
       gate-relay --check | --explain [--json]

Passes visitors on to the gateways that have dialled in, by the name in their TLS, until it is told to stop (SIGTERM or
Ctrl-C; SIGHUP reloads).

  --instance NAME        which of the relays of this host (default: $RELAY_INSTANCE, else default)
  --state-directory DIR  where its key, names and relay.toml are kept
                         (default: $STATE_DIRECTORY, else relay-NAME in $XDG_STATE_HOME/gate)
  --config FILE          the runtime layer, TOML (default: relay.toml in the state directory)
  --declared FILE        the declared layer, JSON (default: /etc/gate/relay-NAME.json)
  --admin-socket PATH    where gatectl relay reaches it (default: admin.sock in the state directory)
  --check                read the configuration and the files that it names, say what is wrong, and end
  --explain              print every key, its value and the layer that it comes from, and end
  --json                 with --explain: as JSON
  --version, --help
`

const OPTIONS = {
  instance: { type: 'string' },
  'state-directory': { type: 'string' },
  config: { type: 'string' },
  declared: { type: 'string' },
  'admin-socket': { type: 'string' },
  check: { type: 'boolean' },
  explain: { type: 'boolean' },
  json: { type: 'boolean' },
  version: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

async function start(): Promise<number> {
  let flags: ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values']
  try {
    flags = parseArgs({ options: OPTIONS }).values
  } catch (error) {
    process.stderr.write(`gate-relay: ${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    return 2
  }
  if (flags.help === true || flags.version === true) {
    process.stdout.write(flags.help === true ? USAGE : `gate-relay ${packageVersion()}\n`)
    return 0
  }
  // `npm run` works in the folder of package.json, but paths are meant from where it was typed
  const { npm_lifecycle_event: script, INIT_CWD: typedIn } = process.env
  if (script === 'relay' && typedIn !== undefined) process.chdir(typedIn)
  const instance = flags.instance ?? process.env['RELAY_INSTANCE'] ?? 'default'
  if (!/^[a-z0-9]+(?:[_-][a-z0-9]+)*$/.test(instance)) {
    process.stderr.write('gate-relay: --instance: use lower-case letters and digits, with single "-" or "_" between\n')
    return 2
  }
  const options = {
    env: process.env,
    stdout: process.stdout,
    instance,
    stateDirectory: flags['state-directory'],
    runtimeFile: flags.config,
    declaredFile: flags.declared,
  }
  try {
    if (flags.check === true || flags.explain === true) {
      const { lookAtConfiguration } = await import('../daemon/relay/assembly/look.ts')
      process.stdout.write(
        await lookAtConfiguration(options, flags.explain !== true ? 'check' : flags.json ? 'json' : 'text'),
      )
      return 0
    }
    const { runRelay } = await import('../daemon/relay/main.ts')
    return await runRelay({ ...options, adminSocket: flags['admin-socket'] })
  } catch (error) {
    process.stderr.write(`gate-relay: ${error instanceof Error ? error.message : error}\n`)
    return 1
  }
}

process.stdout.on('error', () => {
  if (process.stdout.isTTY) process.kill(process.pid, 'SIGTERM')
})
// not process.exitCode: what was abandoned when time ran out must not keep the process alive
process.exit(await start())
