/**
 * Ways to prove who one is, as `auth.mode` names them. Keys count with each of them; `none` stands alone and lets
 * every client of this machine in.
 */
export const AUTH_MODES = ['token', 'password', 'device', 'oidc', 'none'] as const

export type AuthMode = (typeof AUTH_MODES)[number]

/** Whether `auth.mode` lets clients in without any proof. @param mode a word or a list, as it is written */
export function isOpenMode(mode: AuthMode | readonly AuthMode[]): boolean {
  return [mode].flat().includes('none')
}
