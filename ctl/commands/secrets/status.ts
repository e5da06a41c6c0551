import type { SecretsStatus } from '../../../schemas/api/secrets.ts'
import type { Run } from '../../invocation.ts'

export const run: Run = async ({ admin, json, print, printJson }) => {
  const status = await admin.ask('GET /api/admin/secrets')
  if (json) printJson(status)
  else print(statusText(status))
  return status.last_error === undefined ? 0 : 3
}

/** One line for each key, the current one last. */
export function statusText({ master, keys, rotating, sealed, lost, last_error: error }: SecretsStatus): string {
  return [
    `keyring.json opens by ${MASTERS[master]}`,
    ...keys.map(({ id, made_at, current }) => `  ${id}  made ${made_at}${current ? '  seals' : '  only opens'}`),
    ...(rotating ? [`sealing anew: ${sealed} done`] : []),
    ...(lost > 0 ? [`${lost} sealed texts open with no key; they stay as they are`] : []),
    ...(error === undefined ? [] : [`the last rotation did not end: ${error}`, 'run gatectl secrets rotate again']),
  ].join('\n')
}

const MASTERS: Readonly<Record<SecretsStatus['master'], string>> = {
  credential: 'the credential sealing.key',
  configuration: 'secrets.encryption_key',
  previous: 'secrets.previous_key',
  file: 'the file sealing.key beside it',
}
