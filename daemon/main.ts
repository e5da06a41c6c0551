import type { Config } from '../schemas/config/config.ts'
import { isOpenMode } from '../schemas/words/auth-modes.ts'
import { inBackground } from '../system/background.ts'
import { gatectlName } from '../system/gatectl-name.ts'
import { startWatch } from './assembly/alerts.ts'
import { openCertificates } from './assembly/certificates.ts'
import { createControlPlane } from './assembly/control-plane.ts'
import { createDataPlane } from './assembly/data-plane.ts'
import { layGround } from './assembly/ground.ts'
import { openPeers } from './assembly/peers.ts'
import { openRelay } from './assembly/relay.ts'
import { createSignInPlane } from './assembly/sign-in.ts'
import { openStorage } from './assembly/storage.ts'
import { startUpkeep } from './assembly/upkeep.ts'
import type { Tokens } from './auth/tokens.ts'
import { installSignals } from './process/lifecycle.ts'
import { isTaken, listenError, takenError } from './process/listen-error.ts'
import { startWatchdog } from './process/notify.ts'
import type { DaemonOptions } from './process/options.ts'
import { welcome } from './process/welcome.ts'
import { EXAMPLE } from './translate/openai-chat/echo.ts'

/**
 * Runs the daemon until it is told to stop: the order of start and stop, nothing else. `assembly/` makes the parts.
 * @returns the exit code: 0 drained and stopped, 1 cut off or failed
 * @throws Error that says what is wrong, when it cannot start
 */
export async function runDaemon(options: DaemonOptions): Promise<number> {
  const ground = layGround(options)
  const { config, lifecycle, log, monotonic } = ground
  const storage = openStorage(ground)
  const peers = openPeers(ground)
  const relay = openRelay(ground, peers.identity)
  const certificates = openCertificates(ground, relay)
  const signIn = createSignInPlane(ground, storage)
  const dataPlane = createDataPlane(ground, storage, signIn, certificates, peers)
  const controlPlane = createControlPlane(ground, storage, signIn, dataPlane, { relay, peers })

  for (const { apply } of [ground, signIn, dataPlane, relay, peers]) config.onChange(apply)
  lifecycle.onReload('configuration', controlPlane.reload)
  lifecycle.onDrain('followers', controlPlane.drain)
  lifecycle.onDrain('relays', relay.drain)
  lifecycle.onDrain('requests', dataPlane.drain)
  lifecycle.onStop('watch', startWatch(ground, dataPlane).stop)
  lifecycle.onStop('admin socket', controlPlane.stop)
  lifecycle.onStop('relays', relay.stop)
  for (const [name, stop] of dataPlane.stops) lifecycle.onStop(name, stop)
  lifecycle.onStop('sign-ins', signIn.stop)
  lifecycle.onStop('certificates', async () => certificates?.close())
  lifecycle.onStop('upkeep', startUpkeep(ground, storage).stop)
  lifecycle.onStop('store', storage.stop)
  lifecycle.onStop('alerts', ground.stopAlerts)
  lifecycle.onStop('state directory', ground.stop)
  lifecycle.onStop('watchdog', startWatchdog(ground.env, ground.notify, log))
  installSignals(process, lifecycle, monotonic) // for good: a signal that comes while the process ends changes nothing

  const initial = config.current()
  try {
    await controlPlane.listen()
    await certificates?.ready
    const urls = await dataPlane.listen().catch((error: unknown) => {
      // systemd could not have the port either; gatectl says so, instead of a loop of failed starts
      if (ground.activation.admin.length === 0 || !isTaken(error)) throw error
      return null
    })
    if (urls === null) {
      const reason = takenError(initial)
      log('error', 'not serving clients', { error: reason })
      controlPlane.notServed(reason)
      await lifecycle.ready(`not serving clients: ${reason}`)
      return lifecycle.stopped
    }
    signIn.served(urls)
    controlPlane.served(urls)
    certificates?.start()
    inBackground(log, 'peers are not listened for', () => peers.start(dataPlane.listenForPeers))
    inBackground(log, 'relays are not dialled', () => relay.start(dataPlane.takeRelayed, certificates?.status))
    await lifecycle.ready()
    const closed = config.closed()
    const { isJournal } = ground
    const mayPrint = options.makesFirstKey && !isJournal && closed === undefined && storage.isOpen()
    const key = mayPrint ? firstKey(storage.tokens, initial) : null
    const isOpen = isOpenMode(initial.auth.mode)
    const hasKey = isOpen || initial.auth.token !== undefined || storage.tokens.list().length > 0
    const start = {
      urls,
      external: initial.server.external_url,
      closed,
      key,
      hasKey,
      isOpen,
      isJournal,
      gatectl: gatectlName(),
      example: EXAMPLE,
    }
    ground.print(welcome(start))
  } catch (error) {
    await lifecycle.stop('could not start', true)
    throw listenError(error, initial)
  }
  return lifecycle.stopped
}

/**
 * The key made at the very first start, to be shown once; null when there are keys already, or `auth.token` is set.
 * Under systemd, and in a container, none is made, because showing it would put it in a log: `gatectl token create` makes
 * one.
 */
function firstKey(tokens: Tokens, { auth }: Config): string | null {
  if (isOpenMode(auth.mode) || auth.token !== undefined || tokens.list().length > 0) return null
  return tokens.create('first key', ['admin'], null).token
}
