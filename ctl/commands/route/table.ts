import type { Command } from '../../invocation.ts'

export const ROUTE_COMMANDS: readonly Command[] = [
  {
    name: 'upstream list',
    summary: 'list the upstreams: their state, and how well each speaks which dialect',
    arguments: [],
    options: {},
    notes:
      'native: bytes pass; repair: requests pass, and answers are written anew; every other dialect is translated.\n' +
      'upstreams.NAME.dialects says otherwise.',
    load: () => import('./upstream-list.ts'),
  },
  {
    name: 'route explain',
    summary: 'show where requests for a model go, and why each target is asked or not',
    arguments: [],
    options: {
      model: { type: 'string', value: 'MODEL', description: 'the model, as clients name it' },
      holds: { type: 'string', value: 'A,B', description: 'what the request holds besides text: image, audio, file' },
    },
    load: () => import('./explain.ts'),
  },
]
