import type { z } from 'zod'
import { ADMIN_ANSWERS } from '../admin.ts'
import { ACCESS_ANSWERS } from './access.ts'
import { AUDIT_ANSWERS } from './audit.ts'
import { BACKEND_ANSWERS } from './backends.ts'
import { BUDGET_ANSWERS } from './budgets.ts'
import { CONFIG_ANSWERS } from './config.ts'
import { MODEL_ANSWERS } from './models.ts'
import { PEER_ANSWERS } from './peers.ts'
import { RELAY_ANSWERS } from './relay.ts'
import { SECRETS_ANSWERS } from './secrets.ts'
import { SYSTEM_ANSWERS } from './system.ts'
import { TEXT_ANSWERS } from './texts.ts'
import { TLS_ANSWERS } from './tls.ts'
import { UPSTREAM_ANSWERS } from './upstreams.ts'
import { USAGE_ANSWERS } from './usage.ts'

/** Method and path -> shape of the answer, of the routes that gatectl asks. */
export const API_ANSWERS = {
  ...ADMIN_ANSWERS,
  ...SYSTEM_ANSWERS,
  ...CONFIG_ANSWERS,
  ...ACCESS_ANSWERS,
  ...BACKEND_ANSWERS,
  ...TLS_ANSWERS,
  ...RELAY_ANSWERS,
  ...PEER_ANSWERS,
  ...MODEL_ANSWERS,
  ...UPSTREAM_ANSWERS,
  ...SECRETS_ANSWERS,
  ...BUDGET_ANSWERS,
  ...USAGE_ANSWERS,
  ...AUDIT_ANSWERS,
  ...TEXT_ANSWERS,
} as const
export type ApiRouteName = keyof typeof API_ANSWERS
export type ApiAnswers = { readonly [K in ApiRouteName]: z.output<(typeof API_ANSWERS)[K]> }
