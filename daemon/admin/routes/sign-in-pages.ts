import type { IncomingHttpHeaders } from 'node:http'
import { deviceForm, deviceQuery, loginForm, loginQuery } from '../../../schemas/api/passkeys.ts'
import { ERRORS, GateError } from '../../../schemas/words/errors.ts'
import type { PendingDevice } from '../../auth/device/grants.ts'
import type { Providers } from '../../auth/oidc/providers.ts'
import type { Passkeys } from '../../auth/passkey/passkeys.ts'
import type { Principal } from '../../auth/principal.ts'
import { beginSession } from '../begin-session.ts'
import { ownPath, PAGE_HEADERS, SCRIPT_PATH } from '../pages/page-frame.ts'
import { PASSKEY_SCRIPT } from '../pages/passkey-script.ts'
import {
  codePage,
  decidedPage,
  devicePage,
  loginPage,
  logoutPage,
  passkeysPage,
  signedOutPage,
} from '../pages/sign-in-pages.ts'
import { page, type Reply, redirect } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import type { AuthParts } from './auth.ts'

export type SignInPageParts = Pick<AuthParts, 'access' | 'verifyPassword' | 'cookies' | 'leaveProvider'> & {
  readonly providers: Pick<Providers, 'list'>
  readonly takesProviders: () => boolean
  readonly passkeys: Pick<Passkeys, 'of' | 'isPossible'>
  readonly takesPasswords: () => boolean
  /** @throws GateError CSRF_REFUSED for what a page of another site has sent */
  readonly refuseForeignForm: (headers: IncomingHttpHeaders) => void
  /** Who is signed in by a cookie; null: no one. */
  readonly signedIn: (headers: IncomingHttpHeaders, secured: boolean) => Principal | null
  readonly deviceWithCode: (principal: Principal, userCode: string) => PendingDevice
  readonly decide: (principal: Principal, userCode: string, decision: 'approve' | 'deny') => PendingDevice
}

const html = (text: string, status = 200): Reply<never> => page(text, { status, headers: PAGE_HEADERS })

/** The pages where people sign in, let devices in, and sign out. */
export function signInPageRoutes(parts: SignInPageParts): readonly ApiRoute[] {
  const {
    access,
    verifyPassword,
    cookies,
    leaveProvider,
    signedIn,
    deviceWithCode,
    decide,
    passkeys,
    refuseForeignForm,
  } = parts

  function login(returnTo: string, username = '', message: string | null = null, status = 200): Reply<never> {
    const ways = {
      providers: parts.takesProviders() ? parts.providers.list() : [],
      takesPasswords: parts.takesPasswords(),
      takesPasskeys: passkeys.isPossible(),
    }
    return html(loginPage({ ...ways, returnTo, username, message }), status)
  }

  return [
    apiRoute({
      method: 'GET',
      path: '/login',
      scope: 'public',
      summary: 'The page where people sign in',
      only: 'https',
      query: loginQuery,
      answer: 'page',
      handle: ({ query }) => login(ownPath(query.return_to)),
    }),
    apiRoute({
      method: 'POST',
      path: '/login',
      scope: 'public',
      summary: 'Signs a person in by the form of that page',
      only: 'https',
      takes: 'form',
      body: loginForm,
      answer: 'page',
      audit: 'login',
      handle: async ({ body, caller, headers }) => {
        refuseForeignForm(headers)
        const returnTo = ownPath(body.return_to)
        const username = body.username.trim()
        const address = caller.address ?? ''
        try {
          const userId = await verifyPassword(username === '' ? undefined : username, body.password, address)
          if (userId === null) throw new GateError('SIGN_IN_REFUSED', 'the name or the password is wrong')
          const { headers: cookie, change } = beginSession(parts, { userId, via: 'password' }, { caller, headers })
          return redirect(returnTo, { headers: cookie, change })
        } catch (error) {
          if (!(error instanceof GateError) || ERRORS[error.code].status >= 500) throw error
          const shown = login(returnTo, username, error.message, error.status)
          const wait = error.retryAfterS === null ? {} : { 'retry-after': String(error.retryAfterS) }
          const change = { object: '', outcome: 'refused', reason: error.code } as const
          return { ...shown, headers: { ...shown.headers, ...wait }, change }
        }
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/logout',
      scope: 'public',
      summary: 'The page where people sign out',
      only: 'https',
      answer: 'page',
      handle: () => html(logoutPage()),
    }),
    apiRoute({
      method: 'POST',
      path: '/logout',
      scope: 'signed-in',
      summary: 'Ends the session of the browser, by the button of that page',
      only: 'https',
      answer: 'page',
      audit: 'logout',
      handle: ({ principal, caller }) => {
        const session = access.sessions.get(principal.credentialId)
        const leave = session === undefined ? null : leaveProvider(session)
        if (session !== undefined) access.sessions.end(session.id)
        const headers = { ...PAGE_HEADERS, 'set-cookie': cookies.remove(caller.secured) }
        return page(signedOutPage(leave), { headers, change: { object: `session:${principal.credentialId}` } })
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/device',
      scope: 'public',
      summary: 'The page where people let a device in that shows a code',
      only: 'https',
      query: deviceQuery,
      answer: 'page',
      handle: ({ query: { user_code: userCode }, headers, caller }) => {
        const principal = signedIn(headers, caller.secured)
        if (principal === null) {
          const here = userCode === '' ? '/device' : `/device?user_code=${encodeURIComponent(userCode)}`
          return redirect(`/login?return_to=${encodeURIComponent(here)}`)
        }
        if (userCode === '') return html(codePage('', null))
        try {
          return html(devicePage(deviceWithCode(principal, userCode), principal.name))
        } catch (error) {
          if (!(error instanceof GateError)) throw error
          return html(codePage(userCode, error.message), error.status)
        }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/device',
      scope: 'signed-in',
      summary: 'Lets a device in or refuses it, by a button of that page',
      only: 'https',
      takes: 'form',
      body: deviceForm,
      answer: 'page',
      audit: 'device.decide',
      handle: ({ principal, body: { user_code: userCode, decision } }) => {
        const { label, address } = decide(principal, userCode, decision)
        const change = { object: `device:${label}`, new: { decision, address } }
        return { ...html(decidedPage(decision)), change }
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/passkeys',
      scope: 'signed-in',
      summary: 'The page with the passkeys of a person',
      only: 'https',
      answer: 'page',
      handle: ({ principal: { userId } }) => html(passkeysPage(userId === null ? [] : passkeys.of(userId))),
    }),
    apiRoute({
      method: 'GET',
      path: SCRIPT_PATH,
      scope: 'public',
      summary: 'The script of the pages, which passkeys need',
      only: 'https',
      answer: 'page',
      handle: () => page(PASSKEY_SCRIPT, { type: 'text/javascript; charset=utf-8', headers: PAGE_HEADERS }),
    }),
  ]
}
