import type { Option } from '../../command.ts'

export const YES: Option = { type: 'boolean', short: 'y', description: 'do not ask' }
export const WAIT: Option = {
  type: 'string',
  value: 'SECONDS',
  description: 'wait for another gatectl that is working on this host (0)',
}
export const TIMEOUT: Option = { type: 'string', value: 'SECONDS', description: 'longest start of a unit (1800)' }
export const INSTANCE: Option = { type: 'string', value: 'NAME', description: 'the gateway with this gate.instance' }
