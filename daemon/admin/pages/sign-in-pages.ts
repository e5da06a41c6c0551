import type { PendingDevice } from '../../auth/device/grants.ts'
import { alertOf, escaped, framed, SCRIPT_PATH } from './page-frame.ts'

type LoginPage = {
  readonly providers: readonly { readonly id: string; readonly name: string }[]
  readonly takesPasswords: boolean
  readonly takesPasskeys: boolean
  /** A path of this host. */
  readonly returnTo: string
  readonly username: string
  readonly message: string | null
}

/** A button for each way in. */
export function loginPage(page: LoginPage): string {
  const { providers, takesPasswords, takesPasskeys, returnTo, username, message } = page
  const links = providers.map(({ id, name }) => {
    const href = `/auth/login?provider=${encodeURIComponent(id)}&return_to=${encodeURIComponent(returnTo)}`
    return `<a class="button" href="${escaped(href)}">Sign in with ${escaped(name)}</a>`
  })
  const form = takesPasswords
    ? `<form method="post" action="/login"><input type="hidden" name="return_to" value="${escaped(returnTo)}">
<label>Name<input name="username" autocomplete="username" value="${escaped(username)}" maxlength="200"></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required maxlength="1024"></label>
<button>Sign in</button></form>`
    : ''
  const passkey = takesPasskeys
    ? `<button type="button" id="passkey-login" data-return="${escaped(returnTo)}" hidden>Sign in with a passkey</button>
<p role="alert" id="passkey-failure" hidden></p>`
    : ''
  const nothing = links.length === 0 && !takesPasswords && !takesPasskeys
  const none = '<p>No way to sign in is configured; programs send a key. See auth.mode in the documentation.'
  const body = [alertOf(message), ...links, form, passkey, nothing ? none : ''].filter(Boolean).join('\n')
  return framed('Sign in', body, takesPasskeys ? SCRIPT : '')
}

/** Asks for the code that a device shows. */
export function codePage(userCode: string, message: string | null): string {
  return framed(
    'Let a device in',
    `${alertOf(message)}<p>Type the code that the device shows. Go on only with a code that you read off your own device; never type one from a message.
<form method="get" action="/device"><label>Code<input name="user_code" value="${escaped(userCode)}" autocomplete="off" autocapitalize="characters" required maxlength="20"></label>
<button>Go on</button></form>`,
  )
}

/** Shows what asks to be let in, and asks whether it may. */
export function devicePage({ userCode, label, address, scope }: PendingDevice, name: string): string {
  const asks = scope === null ? 'everything that you may do' : scope || 'no rights'
  return framed(
    'Let a device in?',
    `<p>You are signed in as <b>${escaped(name)}</b>. A device at ${escaped(address)} shows the code <b>${escaped(userCode)}</b>
and calls itself <q>${escaped(label)}</q>. It asks for: ${escaped(asks)}.
<form method="post" action="/device"><input type="hidden" name="user_code" value="${escaped(userCode)}">
<button name="decision" value="approve">Let it in</button><button name="decision" value="deny">Refuse it</button></form>`,
  )
}

export function decidedPage(decision: 'approve' | 'deny'): string {
  return decision === 'approve'
    ? framed('The device is let in', '<p>It goes on by itself; you can close this page.')
    : framed('The device is refused', '<p>You can close this page.')
}

/** Asks before signing out: a link from elsewhere must not. */
export function logoutPage(): string {
  return framed('Sign out', '<form method="post" action="/logout"><button>Sign out</button></form>')
}

/** @param leave where the person signs out of their identity provider as well */
export function signedOutPage(leave: string | null): string {
  const more =
    leave === null ? '' : `<p><a class="button" href="${escaped(leave)}">Sign out of the identity provider as well</a>`
  return framed('Signed out', `<p>You are signed out. <a href="/login">Sign in again</a>${more}`)
}

/** The passkeys of a person. */
export function passkeysPage(keys: readonly { readonly name: string; readonly createdAt: number }[]): string {
  const rows = keys.map(
    ({ name, createdAt }) => `<li>${escaped(name)}, since ${new Date(createdAt).toISOString().slice(0, 10)}`,
  )
  return framed(
    'Passkeys',
    `<ul>${rows.join('\n')}</ul>
<label>Name of the new one<input id="passkey-name" maxlength="60" value="passkey"></label>
<button type="button" id="passkey-add" hidden>Add a passkey</button>
<noscript><p>Passkeys need JavaScript.</noscript><p role="alert" id="passkey-failure" hidden></p>`,
    SCRIPT,
  )
}

const SCRIPT = `<script src="${SCRIPT_PATH}" defer></script>`
