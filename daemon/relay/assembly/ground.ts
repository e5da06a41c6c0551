import { join } from 'node:path'
import { loadRelayConfig, type RelaySources, waitingKeys } from '../../../config/relay/load.ts'
import { durationMs } from '../../../schemas/config/values.ts'
import { lockState } from '../../../store/sqlite/state-lock.ts'
import { takeActivation } from '../../listener/activation.ts'
import { createLineBuffer } from '../../log/line-buffer.ts'
import { createLog } from '../../log/log.ts'
import { createLifecycle } from '../../process/lifecycle.ts'
import { openNotify } from '../../process/notify.ts'
import { defaultStateDirectory } from '../../process/options.ts'
import { makeStateDirectory } from '../../process/state-directory.ts'
import { steadyClock } from '../registry/steady-clock.ts'

/** What a relay gets from its surroundings. */
export type RelayOptions = {
  readonly env: NodeJS.ProcessEnv
  readonly stdout: { readonly write: (text: string) => unknown; readonly isTTY?: boolean }
  /** Which of the relays of this host. */
  readonly instance: string
  /** `$STATE_DIRECTORY`, else `relay-<instance>` in that of Gate, when absent. */
  readonly stateDirectory: string | undefined
  /** `relay.toml` in the state directory when absent. */
  readonly runtimeFile: string | undefined
  readonly declaredFile: string | undefined
}

export type Ground = ReturnType<typeof layGround>

/** Where the relay keeps what it must not lose. */
function relayStateDirectory({ env, instance, stateDirectory }: RelayOptions): string {
  if (stateDirectory !== undefined) return stateDirectory
  return env['STATE_DIRECTORY'] ? defaultStateDirectory(env) : join(defaultStateDirectory(env), `relay-${instance}`)
}

export function relaySources(options: RelayOptions): RelaySources {
  const { env, instance, runtimeFile, declaredFile } = options
  return {
    env,
    credentialsDirectory: env['CREDENTIALS_DIRECTORY'],
    runtimeFile: runtimeFile ?? join(relayStateDirectory(options), 'relay.toml'),
    declaredFile: declaredFile ?? `/etc/gate/relay-${instance}.json`,
  }
}

/**
 * What everything else is built on: the state directory, the clocks, the log, systemd, the configuration, the
 * lifecycle.
 * @throws Error that says what is wrong with the state directory or the configuration
 */
export function layGround(options: RelayOptions) {
  const { env, stdout, instance } = options
  const now = () => Date.now()
  const monotonic = () => performance.now()
  const activation = takeActivation(env, process.pid)
  const stateDirectory = relayStateDirectory(options)
  makeStateDirectory(stateDirectory)
  const unlockState = lockState(stateDirectory)
  const isJournal = env['JOURNAL_STREAM'] !== undefined
  const lines = createLineBuffer((text) => stdout.write(text))
  process.once('exit', lines.flush)
  const format = stdout.isTTY ? 'text' : 'json'
  const writer = createLog({ write: lines.push, level: 'info', format, journal: isJournal, now })
  const { log } = writer
  const notify = openNotify({ env, fd: activation.notify, log })
  const sources = relaySources(options)
  let loaded = loadRelayConfig(sources)
  const started = loaded.config
  writer.setLevel(loaded.config.log_level)
  const lifecycle = createLifecycle({
    log,
    notify,
    drainDeadlineMs: () => durationMs(loaded.config.limits.drain_timeout) + DRAIN_SLACK_MS,
    now: monotonic,
  })

  return {
    env,
    instance,
    now,
    monotonic,
    steady: steadyClock(now, monotonic),
    activation,
    stateDirectory,
    /** For who started it by hand: the journal has it in the log. */
    tell: (line: string) => (isJournal ? undefined : lines.push(line)),
    log,
    notify,
    lifecycle,
    /** As it is now; keys that wait for a restart are read at the start. */
    config: () => loaded.config,
    loaded: () => loaded,
    /** Reads all layers again. @throws ConfigError: what was in force stays */
    reload(): void {
      loaded = loadRelayConfig(sources)
      const waiting = waitingKeys(started, loaded.config)
      if (waiting.length > 0) log('warn', 'keys that have changed wait for a restart', { path: waiting.join(', ') })
      writer.setLevel(loaded.config.log_level)
    },
    /** Lets another relay have the state directory. */
    stop: unlockState,
  }
}

/** The relay ends its own wait; this is for what comes after. */
const DRAIN_SLACK_MS = 2_000
