import type { PayerScope } from '../../schemas/words/payer-scope.ts'

/** Who a request comes from, as far as budgets and limits ask. The same object stands for the same payer. */
export type Payer = {
  readonly keyId: string
  readonly name: string
  readonly userId: string | null
  readonly teams: readonly string[]
  /** Names of budgets, and of limits, that are attached to its key. */
  readonly budgets: readonly string[]
  readonly limits: readonly string[]
}

/** Where a request goes. `model` is what was asked for, and `target` the model that the upstream is asked for. */
export type Destination = {
  readonly model: string
  readonly target: string
  readonly upstream: string
  readonly provider: string
}

/** What people and teams are called; null: there is none of this id. */
export type PayerNames = {
  readonly user: (id: string) => string | null
  readonly team: (id: string) => string | null
}

/** Whether a scope asks where a request goes, and not whom it comes from. */
export const isAboutDestination = (scope: PayerScope): boolean =>
  'what' in scope && (scope.what === 'model' || scope.what === 'provider')

const ONE: readonly string[] = ['']
const NONE: readonly string[] = []

/** For whom of a scope a payer counts: ids, or an empty text where the scope is about one thing. */
export function subjectsOfPayer(
  scope: PayerScope,
  payer: Payer,
  attached: readonly string[],
  own: string,
  names: PayerNames,
): readonly string[] {
  switch (scope.kind) {
    case 'global':
      return ONE
    case 'attached':
      return attached.includes(own) ? ONE : NONE
    case 'named':
      return isNamed(scope.what, scope.name, payer, names) ? ONE : NONE
    case 'each':
      return eachOf(scope.what, payer)
  }
}

function isNamed(what: string, name: string, { keyId, name: keyName, userId, teams }: Payer, names: PayerNames) {
  if (what === 'key') return keyId === name || keyName === name
  if (what === 'user') return userId !== null && (userId === name || names.user(userId) === name)
  return what === 'team' && teams.some((id) => id === name || names.team(id) === name)
}

function eachOf(what: string, { keyId, userId, teams }: Payer): readonly string[] {
  if (what === 'key') return [keyId]
  if (what === 'user') return userId === null ? NONE : [userId]
  return what === 'team' ? teams : NONE
}

/**
 * The same of where it goes. A provider is named by its upstream, or by its kind; a model counts by whatever name it is
 * asked for, and so does the name.
 */
export function subjectsOfDestination(scope: PayerScope, destination: Destination): readonly string[] {
  const { upstream, provider } = destination
  if (scope.kind === 'each')
    return scope.what === 'model' ? modelsOf(destination) : scope.what === 'provider' ? [upstream] : NONE
  if (scope.kind !== 'named') return NONE
  if (scope.what === 'model') return isModel(scope.name, destination) ? ONE : NONE
  return scope.what === 'provider' && (scope.name === upstream || scope.name === provider) ? ONE : NONE
}

/** Names differ by it, and mean the same. @see daemon/route/routes.ts */
const USUAL_TAG = ':latest'
const bare = (name: string): string => (name.endsWith(USUAL_TAG) ? name.slice(0, -USUAL_TAG.length) : name)

function modelsOf({ model, target, upstream }: Destination): readonly string[] {
  const [asked, own] = [bare(model), bare(target)]
  return asked === own || asked === `${upstream}/${own}` ? [own] : [asked, own]
}

function isModel(name: string, { model, target, upstream }: Destination): boolean {
  const wanted = bare(name)
  return wanted === bare(model) || wanted === bare(target) || wanted === `${upstream}/${bare(target)}`
}
