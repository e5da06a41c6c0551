import type { Command } from '../../invocation.ts'
import { COMPILE_OPTIONS, HOST_SPEC, LOCK } from '../spec/options.ts'
import { INSTANCE, TIMEOUT, WAIT, YES } from './options.ts'

export const HOST_COMMANDS: readonly Command[] = [
  {
    name: 'plan',
    summary: 'show what apply would change on this host',
    arguments: [HOST_SPEC],
    options: {
      verbose: { type: 'boolean', short: 'v', description: 'also list each account, file and unit' },
      lock: LOCK,
    },
    notes:
      'SPEC is /etc/gate/gate.toml when it is not given. Changes nothing. Exits with 3 when there is something to do, 0 when\n' +
      'there is nothing, 1 when it cannot be done.',
    load: () => import('./plan.ts'),
  },
  {
    name: 'apply',
    summary: 'make this host match a spec',
    arguments: [HOST_SPEC],
    options: { yes: YES, wait: WAIT, timeout: TIMEOUT, lock: LOCK },
    notes:
      'SPEC is /etc/gate/gate.toml when it is not given. On a terminal it asks first. Only what changed restarts; when a unit does\n' +
      'not start in time, the generation before runs again.',
    load: () => import('./apply.ts'),
  },
  {
    name: 'rollback',
    summary: 'make an older generation run again',
    arguments: [{ name: 'GENERATION', optional: true }],
    options: { yes: YES, wait: WAIT, timeout: TIMEOUT, instance: INSTANCE },
    notes:
      'Without GENERATION, the one before the current one. Units and images go back; data, keys and usage never do.',
    load: () => import('./rollback.ts'),
  },
  {
    name: 'generations',
    summary: 'list what was applied to this host',
    arguments: [],
    options: { instance: INSTANCE },
    load: () => import('./generations.ts'),
  },
  {
    name: 'uninstall',
    summary: 'remove everything that apply made on this host',
    arguments: [],
    options: {
      purge: { type: 'boolean', description: 'also volumes, models, keys and usage' },
      yes: YES,
      wait: WAIT,
      timeout: TIMEOUT,
      instance: INSTANCE,
    },
    notes: 'Files changed since are kept and listed; so are volumes, models and the database, unless --purge is given.',
    load: () => import('./uninstall.ts'),
  },
  {
    name: 'doctor',
    summary: 'check the host, the daemon and the backends, and say what is wrong and what to do',
    arguments: [HOST_SPEC],
    options: {
      bundle: {
        type: 'string',
        value: 'FILE.tar.gz',
        description: 'also write an archive for a bug report, without secrets',
        complete: 'file',
      },
      only: { type: 'string', value: 'CHECK', description: 'this check alone, by its name in the output' },
      ...COMPILE_OPTIONS,
    },
    notes:
      'Changes nothing. SPEC is /etc/gate/gate.toml when it is not given. Without root it can check less, and says what it skipped.\n' +
      'Exits with 3 when a check failed; warnings alone do not count.',
    load: () => import('./doctor.ts'),
  },
]
