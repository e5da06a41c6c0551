import { LISTS } from '../../command.ts'
import type { Command } from '../../invocation.ts'

export const COMPLETION_COMMANDS: readonly Command[] = [
  {
    name: 'completion',
    summary: 'print a completion script: bash, zsh or fish',
    arguments: [{ name: 'SHELL', complete: ['bash', 'zsh', 'fish'] }],
    options: {},
    notes:
      'bash: source <(gatectl completion bash)\n' +
      'zsh:  source <(gatectl completion zsh), after compinit\n' +
      'fish: gatectl completion fish | source',
    load: () => import('./completion.ts'),
  },
  {
    name: 'complete',
    hidden: true,
    summary: `print the words that a completion script asks for: ${LISTS.join(', ')}`,
    arguments: [
      { name: 'WHAT' },
      ...['WORD', 'WORD', 'WORD', 'WORD'].map((name) => ({ name, optional: true }) as const),
    ],
    options: {},
    load: () => import('./complete.ts'),
  },
]
