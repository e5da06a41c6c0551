import { randomBytes } from 'node:crypto'
import { openConfig } from '../../config/open-config.ts'
import { masterTexts } from '../../config/sealed-values.ts'
import type { Config } from '../../schemas/config/config.ts'
import { durationMs } from '../../schemas/config/values.ts'
import { isOpenMode } from '../../schemas/words/auth-modes.ts'
import { refuseHalfRestored } from '../../store/backup/restoring.ts'
import { configSeals } from '../../store/sealed/config-seals.ts'
import { createKeyring } from '../../store/sealed/keyring.ts'
import { lockState } from '../../store/sqlite/state-lock.ts'
import { createAlerts } from '../alerts/alerts.ts'
import { destinationsOf } from '../alerts/destinations.ts'
import { post } from '../alerts/post.ts'
import { fingerprintOf } from '../audit/fingerprint.ts'
import { takeActivation } from '../listener/activation.ts'
import { createLineBuffer } from '../log/line-buffer.ts'
import { createLog } from '../log/log.ts'
import { createLifecycle } from '../process/lifecycle.ts'
import { openNotify } from '../process/notify.ts'
import { type DaemonOptions, defaultStateDirectory } from '../process/options.ts'
import { passedSocket } from '../process/passed-socket.ts'
import { makeStateDirectory } from '../process/state-directory.ts'

export type Ground = ReturnType<typeof layGround>

/**
 * What everything else is built on: the state directory, the clocks, the log, systemd, the configuration, the
 * lifecycle.
 * @throws Error that says what is wrong with the state directory or the configuration
 */
export function layGround(options: DaemonOptions) {
  const { env, stdout } = options
  const now = () => Date.now()
  const monotonic = () => performance.now()
  const activation = takeActivation(env, process.pid)
  const stateDirectory = options.stateDirectory ?? defaultStateDirectory(env)
  makeStateDirectory(stateDirectory)
  const unlockState = lockState(stateDirectory)
  refuseHalfRestored(stateDirectory)

  const isJournal = env['JOURNAL_STREAM'] !== undefined
  const usualFormat = stdout.isTTY ? 'text' : 'json'
  const lines = createLineBuffer((text) => stdout.write(text))
  process.once('exit', lines.flush)
  const writer = createLog({ write: lines.push, level: 'info', format: usualFormat, journal: isJournal, now })
  const { log } = writer
  if (activation.unknown.length > 0) {
    log('warn', 'sockets with unknown names were passed and are ignored', { error: activation.unknown.join(', ') })
  }
  const alerts = createAlerts({ log, post, now, random: Math.random })
  const notify = openNotify({ env, fd: activation.notify, log })
  const credentialsDirectory = env['CREDENTIALS_DIRECTORY']
  const masterKeys = { stateDirectory, credentialsDirectory, texts: () => masterTexts({ env, credentialsDirectory }) }
  const keyring = createKeyring(masterKeys, now, monotonic)
  /** Random, of this process: fingerprints are worthless without it. */
  const fingerprintKey = randomBytes(32)
  const config = openConfig({
    env,
    stateDirectory,
    runtimeFile: options.runtimeFile,
    declaredFile: options.declaredFile,
    credentialsDirectory,
    seals: configSeals(keyring),
    socket: activation.gateway.length > 0 ? passedSocket() : undefined,
    fingerprint: (secret) => fingerprintOf(fingerprintKey, secret),
    log,
  })
  const initial = config.current()
  apply(initial)
  if (isOpenMode(initial.auth.mode))
    log('warn', 'auth.mode is none: every user of this machine is admitted without a key')
  const lifecycle = createLifecycle({
    log,
    notify,
    drainDeadlineMs: () => durationMs(config.current().server.drain_timeout),
    now: monotonic,
  })

  function apply(next: Config): void {
    const { level, format } = next.log
    alerts.apply(destinationsOf(next))
    writer.hide(next.auth.token)
    writer.setLevel(level)
    writer.setFormat(format ?? usualFormat)
  }

  return {
    env,
    now,
    monotonic,
    activation,
    stateDirectory,
    isJournal,
    print: lines.push,
    logs: writer,
    log,
    /** Tells operators. */
    alert: alerts.tell,
    stopAlerts: alerts.stop,
    notify,
    keyring,
    fingerprintKey,
    config,
    lifecycle,
    apply,
    /** Lets another daemon have the state directory. */
    stop: unlockState,
  }
}
