import type { CommandName } from './commands.ts'
import type { Run } from './invocation.ts'

/** Where each command is: a run imports the module of its own command and no other. */
export const COMMAND_MODULES: Readonly<Record<CommandName, () => Promise<{ readonly run: Run }>>> = {
  status: () => import('./status.ts'),
  logs: () => import('./logs.ts'),
  reload: () => import('./reload.ts'),
  'token create': () => import('./token-create.ts'),
  'token list': () => import('./token-list.ts'),
  'token revoke': () => import('./token-revoke.ts'),
  'config get': () => import('./config-get.ts'),
  'config set': () => import('./config-set.ts'),
  'config unset': () => import('./config-unset.ts'),
  'config explain': () => import('./config-explain.ts'),
  'config diff': () => import('./config-diff.ts'),
  'config promote': () => import('./config-promote.ts'),
  'config validate': () => import('./config-validate.ts'),
  check: () => import('./check.ts'),
  compile: () => import('./compile.ts'),
  plan: () => import('./plan.ts'),
  apply: () => import('./apply.ts'),
  rollback: () => import('./rollback.ts'),
  generations: () => import('./generations.ts'),
  uninstall: () => import('./uninstall.ts'),
  explain: () => import('./explain.ts'),
  init: () => import('./init.ts'),
  doctor: () => import('./doctor.ts'),
  completion: () => import('./completion.ts'),
  complete: () => import('./complete.ts'),
}
