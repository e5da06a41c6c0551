import { usageFailure } from '../../failure.ts'

/** What one gateway tells another so that it may use its models. */
export type Invitation = {
  readonly node: string
  /** Node id of the gateway that it is for. */
  readonly invited?: string
  readonly key: string
  readonly addresses: readonly string[]
  readonly relays: readonly string[]
}

const START = 'gate-peer1.'

export const writeInvitation = (invitation: Invitation): string =>
  START + Buffer.from(JSON.stringify(invitation)).toString('base64url')

/** @throws Failure for what is no invitation; it is not quoted */
export function readInvitation(text: string): Invitation {
  const wrong = () =>
    usageFailure('gatectl peer accept: that is not an invitation', 'give what "gatectl peer invite" printed, whole')
  const trimmed = text.trim()
  if (!trimmed.startsWith(START)) throw wrong()
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(trimmed.slice(START.length), 'base64url').toString())
  } catch {
    throw wrong()
  }
  if (typeof value !== 'object' || value === null) throw wrong()
  const { node, invited, key, addresses, relays } = value as Record<string, unknown>
  if (typeof node !== 'string' || typeof key !== 'string' || !isTexts(addresses) || !isTexts(relays)) throw wrong()
  if (invited !== undefined && typeof invited !== 'string') throw wrong()
  return { node, ...(invited !== undefined && { invited }), key, addresses, relays }
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')
