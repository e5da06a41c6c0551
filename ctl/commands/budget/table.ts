import { WINDOWS } from '../../../schemas/words/windows.ts'
import type { Command } from '../../invocation.ts'

const SCOPES = ['global', 'each-key', 'each-user', 'each-team', 'each-model', 'each-provider', 'attached']

export const BUDGET_COMMANDS: readonly Command[] = [
  {
    name: 'budget list',
    summary: 'list the budgets, with what is spent of each',
    arguments: [],
    options: {},
    load: () => import('./list.ts'),
  },
  {
    name: 'budget show',
    summary: 'show a budget, and what each of its keys, people, teams or models has spent',
    arguments: [{ name: 'NAME' }],
    options: {},
    load: () => import('./show.ts'),
  },
  {
    name: 'budget set',
    summary: 'make a budget, or change one',
    arguments: [{ name: 'NAME' }, { name: 'AMOUNT' }],
    options: {
      window: { type: 'string', value: 'WINDOW', description: 'hour, day, week or month (month)', complete: WINDOWS },
      zone: { type: 'string', value: 'ZONE', description: 'time zone in which it begins, such as Europe/Berlin (UTC)' },
      scope: { type: 'string', value: 'SCOPE', description: 'whose spending it counts (global)', complete: SCOPES },
      soft: { type: 'boolean', description: 'warn once it is spent, and refuse nothing' },
      hard: { type: 'boolean', description: 'refuse requests once it is spent (a new budget does)' },
      overdraft: { type: 'string', value: 'AMOUNT', description: 'what may be spent beyond it (0 USD)' },
    },
    notes: 'AMOUNT is such as "20 USD", or 20. What is spent already stays spent.',
    load: () => import('./set.ts'),
  },
  {
    name: 'budget refill',
    summary: 'add money to a budget, for the current window',
    arguments: [{ name: 'NAME' }, { name: 'AMOUNT' }],
    options: {
      for: { type: 'string', value: 'SUBJECT', description: 'the key, person, team or model, where each has its own' },
      take: { type: 'boolean', description: 'take the money instead' },
    },
    notes: 'AMOUNT is such as "20 USD", or 20. SUBJECT is as "gatectl budget show" names it.',
    load: () => import('./refill.ts'),
  },
  {
    name: 'budget remove',
    summary: 'remove a budget that was made at run time',
    arguments: [{ name: 'NAME' }],
    options: {},
    load: () => import('./remove.ts'),
  },
]
