#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runDaemon } from '../daemon/main.ts'
import { packageVersion } from '../system/version.ts'

const USAGE = `Usage: gate-daemon [--state-directory DIR] [--config FILE] [--declared FILE] [--no-first-key]
       gate-daemon --restore FILE [--passphrase-file FILE] [--identity FILE] [--state-directory DIR]

Serves the gateway until it is told to stop (SIGTERM or Ctrl-C; SIGHUP reloads).

  --state-directory DIR  where config.toml and gate.db are kept
                         (default: $STATE_DIRECTORY, else $XDG_STATE_HOME/gate)
  --config FILE          the runtime layer, TOML (default: config.toml in the state directory)
  --declared FILE        the declared layer, JSON (default: /etc/gate/declared.json)
  --no-first-key         make no key at the first start: for where this output is kept as a log
  --restore FILE         put a backup in place of the state directory, and end; its passphrase is the
                         first line of --passphrase-file, else of standard input
  --version, --help
`

async function start(): Promise<number> {
  let flags: {
    'state-directory'?: string
    config?: string
    declared?: string
    'no-first-key'?: boolean
    restore?: string
    'passphrase-file'?: string
    identity?: string
    version?: boolean
    help?: boolean
  }
  try {
    flags = parseArgs({
      options: {
        'state-directory': { type: 'string' },
        config: { type: 'string' },
        declared: { type: 'string' },
        'no-first-key': { type: 'boolean' },
        restore: { type: 'string' },
        'passphrase-file': { type: 'string' },
        identity: { type: 'string' },
        version: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    process.stderr.write(`gate-daemon: ${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    return 2
  }
  if (flags.help === true || flags.version === true) {
    process.stdout.write(flags.help === true ? USAGE : `gate-daemon ${packageVersion()}\n`)
    return 0
  }
  const stateDirectory = flags['state-directory']
  try {
    if (flags.restore !== undefined) return await restoreState(flags.restore, flags)
    return await runDaemon({
      env: process.env,
      stdout: process.stdout,
      declaredFile: flags.declared ?? '/etc/gate/declared.json',
      makesFirstKey: flags['no-first-key'] !== true,
      ...(stateDirectory !== undefined && { stateDirectory }),
      ...(flags.config !== undefined && { runtimeFile: flags.config }),
    })
  } catch (error) {
    process.stderr.write(`gate-daemon: ${error instanceof Error ? error.message : error}\n`)
    return 1
  }
}

type RestoreFlags = { 'state-directory'?: string; 'passphrase-file'?: string; identity?: string }

/** For where there is no gatectl beside the daemon, as in a container. */
async function restoreState(file: string, flags: RestoreFlags): Promise<number> {
  const { restore } = await import('../host/backup/restore.ts')
  const { defaultStateDirectory } = await import('../daemon/process/options.ts')
  const { identity, 'passphrase-file': passphraseFile } = flags
  const secret = readFileSync(identity ?? passphraseFile ?? 0, 'utf8')
  const unlock = identity === undefined ? { passphrase: secret.split(/\r?\n/, 1)[0] ?? '' } : { identity: secret }
  const stateDirectory = flags['state-directory'] ?? defaultStateDirectory(process.env)
  const { manifest, files, aside } = await restore({ file, unlock, stateDirectory, checkOnly: false, now: Date.now })
  process.stdout.write(`restored ${stateDirectory}: ${files} files of ${manifest.made_at}\n`)
  if (aside !== null) process.stdout.write(`what was there before is in ${aside}\n`)
  return 0
}

// A request takes many small functions: with twice V8's usual bounds on the bytecode that is inlined into one of them,
// it takes less time on a core (bench/README.md).
setFlagsFromString('--max-inlined-bytecode-size=920')
setFlagsFromString('--max-inlined-bytecode-size-cumulative=2000')

// The reader of the log may go away (`| head`, a closed terminal): serving goes on without, but a daemon of a
// terminal that is gone has no user to stop it, so it stops on its own.
process.stdout.on('error', () => {
  if (process.stdout.isTTY) process.kill(process.pid, 'SIGTERM')
})
// not process.exitCode: what was abandoned when time ran out must not keep the process alive
process.exit(await start())
