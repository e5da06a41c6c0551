import { AgentRefusal } from './agent-error.ts'

/** All that an agent may touch. The compiler writes it into the agent's unit, which root owns. */
export type AllowList = {
  /** Service of the container. */
  readonly service: string
  /** What wakes the container on the first connection, when the backend starts on demand. */
  readonly onDemand: { readonly socket: string; readonly proxy: string } | undefined
  /** Name of the container. */
  readonly container: string
  readonly images: readonly string[]
  /** Absolute path of the archive that they come from, instead of a registry. */
  readonly archive: string | undefined
}

/** Every unit of the backend, its container's service first. */
export function unitsOf({ service, onDemand }: AllowList): readonly string[] {
  return onDemand === undefined ? [service] : [service, onDemand.proxy, onDemand.socket]
}

/**
 * Whether a request was meant for this agent, whose service is called after the gateway and the backend.
 * @param backend name that the request says; undefined: none
 * @throws AgentRefusal NOT_ALLOWED
 */
export function checkBackend({ service }: AllowList, gatewayAccount: string, backend: string | undefined): void {
  if (backend === undefined || service === `${gatewayAccount}-${backend}.service`) return
  const hint = 'the socket of that backend leads here: look for a link in place of its agent.sock'
  throw new AgentRefusal('NOT_ALLOWED', `this is the agent of ${service}, not of the backend ${backend}`, hint)
}

/** @throws AgentRefusal NOT_ALLOWED */
export function checkUnit(allow: AllowList, unit: string): void {
  if (unitsOf(allow).includes(unit)) return
  const hint = `it may: ${unitsOf(allow).join(', ')}`
  throw new AgentRefusal('NOT_ALLOWED', `this agent may not touch ${unit}`, hint)
}

/** @throws AgentRefusal NOT_ALLOWED */
export function checkImage(allow: AllowList, image: string): void {
  if (allow.images.includes(image)) return
  const hint = `it may: ${allow.images.join(', ')}`
  throw new AgentRefusal('NOT_ALLOWED', `this agent may not pull ${image}`, hint)
}
