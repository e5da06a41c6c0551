import type { Command } from '../../invocation.ts'
import { COMPILE_OPTIONS, HOST_OPTIONS, HOST_SPEC, INIT_OPTIONS, SPEC, TARGET } from './options.ts'

export const SPEC_COMMANDS: readonly Command[] = [
  {
    name: 'check',
    summary: 'list everything that is wrong with a spec (gate.toml)',
    arguments: [HOST_SPEC],
    options: { target: TARGET, ...COMPILE_OPTIONS, ...HOST_OPTIONS },
    notes:
      'Needs no daemon. Also says what these targets cannot express; without --target, those that gatectl apply takes.\n' +
      'SPEC is /etc/gate/gate.toml when it is not given, "-" is standard input.\n' +
      'Exits with 3 when there are errors; warnings alone do not count.',
    load: () => import('./check.ts'),
  },
  {
    name: 'compile',
    summary: 'turn a spec into the files that a host needs',
    arguments: [SPEC],
    options: {
      target: TARGET,
      out: { type: 'string', value: 'DIR', description: 'where the files go', complete: 'file' },
      check: { type: 'boolean', description: 'write nothing; exit with 3 and a diff when something would change' },
      ...COMPILE_OPTIONS,
      ...HOST_OPTIONS,
    },
    notes:
      'Needs no daemon. DIR then holds what this SPEC and these targets produce: files of earlier compilations that are no\n' +
      'longer produced are removed (gate.manifest.json lists them), other files are never touched. User ids and random\n' +
      'ports, once chosen, stay in gate.lock.json beside SPEC: keep the two together.',
    load: () => import('./compile.ts'),
  },
  {
    name: 'explain',
    summary: 'show which lines of a spec a line of the output comes from',
    arguments: [SPEC, { name: 'PATH', complete: 'file' }],
    options: { ...COMPILE_OPTIONS, ...HOST_OPTIONS },
    notes:
      'PATH is a file below the output directory or its place on the host, with or without ":LINE":\n' +
      'quadlet/users/40000/gate-qwen.container:12, /etc/containers/systemd/users/40000/gate-qwen.container',
    load: () => import('./explain.ts'),
  },
  {
    name: 'init',
    summary: 'write a first spec, after a few questions',
    arguments: [{ name: 'FILE', optional: true, complete: 'file' }],
    options: INIT_OPTIONS,
    notes:
      'FILE is gate.toml when it is not given. The spec that is written compiles. gate.schema.json is written beside\n' +
      'it, so that editors know what a spec may contain.',
    load: () => import('./init.ts'),
  },
]
