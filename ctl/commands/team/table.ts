import type { Command } from '../../invocation.ts'

const TEAM = { name: 'TEAM', complete: 'team' } as const
const load = (verb: string) => () => import('./team.ts').then(({ teamCommand }) => ({ run: teamCommand(verb) }))

export const TEAM_COMMANDS: readonly Command[] = [
  { name: 'team add', summary: 'add a team', arguments: [{ name: 'TEAM' }], options: {}, load: load('add') },
  { name: 'team list', summary: 'list the teams and their members', arguments: [], options: {}, load: load('list') },
  {
    name: 'team join',
    summary: 'take a person into a team',
    arguments: [TEAM, { name: 'USER', complete: 'user' }],
    options: {},
    load: load('join'),
  },
  {
    name: 'team leave',
    summary: 'take a person out of a team',
    arguments: [TEAM, { name: 'USER', complete: 'user' }],
    options: {},
    load: load('leave'),
  },
  {
    name: 'team remove',
    summary: 'remove a team; its members stay',
    arguments: [TEAM],
    options: {},
    load: load('remove'),
  },
]
