import { LOG_LEVELS } from '../../../schemas/words/log.ts'
import { USAGE_GROUPINGS } from '../../../schemas/words/usage-groupings.ts'
import type { Command } from '../../invocation.ts'

export const DAEMON_COMMANDS: readonly Command[] = [
  {
    name: 'status',
    summary: 'show whether the daemon is ready, its upstreams and its problems',
    arguments: [],
    options: {},
    load: () => import('./status.ts'),
  },
  {
    name: 'logs',
    summary: "show the daemon's last log lines",
    arguments: [],
    options: {
      follow: { type: 'boolean', short: 'f', description: 'keep printing new lines' },
      lines: {
        type: 'string',
        short: 'n',
        value: 'N',
        description: 'at most N past lines (100; the daemon keeps 1000)',
      },
      level: {
        type: 'string',
        value: 'LEVEL',
        description: `this level and more important: ${LOG_LEVELS.join(', ')}`,
        complete: LOG_LEVELS,
      },
    },
    load: () => import('./logs.ts'),
  },
  {
    name: 'usage',
    summary: 'show requests, tokens, costs and times by model, key, upstream, user, team and category',
    arguments: [],
    options: {
      since: {
        type: 'string',
        value: 'TIME',
        description: 'how far back: 24h (usual), 7d, today, or a day such as 2026-11-29',
      },
      by: {
        type: 'string',
        value: 'WHAT',
        description: `one table only: ${USAGE_GROUPINGS.join(', ')}`,
        complete: USAGE_GROUPINGS,
      },
      csv: { type: 'boolean', description: 'as CSV, costs in millionths of a dollar' },
    },
    notes:
      'Requests that reached an upstream: what was refused before (no key, too many) is in the log. One that was tried at\n' +
      'two upstreams counts once by model and key, and at both upstreams. The median is about that of the answered requests,\n' +
      'streams to their end.',
    load: () => import('./usage.ts'),
  },
  {
    name: 'usage text',
    summary: 'show what was asked and answered in one request, where that is kept',
    arguments: [{ name: 'REQUEST-ID' }],
    options: {},
    notes:
      'usage.keep_text names the keys and models whose prompts and answers are kept, for usage.text_retention. Reading one\n' +
      'is an entry of the audit. The log has the id of each request.',
    load: () => import('./usage-text.ts'),
  },
  {
    name: 'reload',
    summary: 'read the configuration files again, as SIGHUP does',
    arguments: [],
    options: {},
    load: () => import('./reload.ts'),
  },
  {
    name: 'gateway start',
    summary: 'run gate-daemon here, until Ctrl-C or SIGTERM',
    arguments: [],
    options: {
      config: { type: 'string', value: 'FILE', description: 'its configuration', complete: 'file' },
      'state-directory': {
        type: 'string',
        value: 'DIR',
        description: 'where keys and usage are kept',
        complete: 'file',
      },
    },
    notes:
      'FILE is the runtime layer, which "gatectl config set" edits; one that ends in .json is the declared layer. Without it\n' +
      'both are looked for as gate-daemon does. On a host the service runs it: systemctl start gate-daemon.',
    load: () => import('./start.ts'),
  },
  {
    name: 'upstream list',
    summary: 'list the upstreams: their state, and how well each speaks which dialect',
    arguments: [],
    options: {},
    notes:
      'native: bytes pass; repair: plain requests are asked in that dialect, and answers are written anew; every other\n' +
      'dialect is translated. Engines are asked which dialects they speak (probed); what was wrong is listed below the table.\n' +
      'upstreams.NAME.dialects says otherwise (set).',
    load: () => import('../route/upstream-list.ts'),
  },
  {
    name: 'route explain',
    summary: 'show where requests for a model go, and why each target is asked or not',
    arguments: [],
    options: {
      model: { type: 'string', value: 'MODEL', description: 'the model, as clients name it' },
      holds: { type: 'string', value: 'A,B', description: 'what the request holds besides text: image, audio, file' },
      tools: { type: 'boolean', description: 'the request has tools' },
      tokens: { type: 'string', value: 'N', description: 'how long it is' },
      dialect: { type: 'string', value: 'NAME', description: 'what its client speaks, such as anthropic' },
      key: { type: 'string', value: 'ID', description: 'the key that sends it; otherwise one for every model' },
      session: { type: 'string', value: 'NAME', description: 'what its client calls its session' },
      request: { type: 'string', value: 'FILE', description: 'the body of the request itself; - is standard input' },
    },
    notes:
      'Asks nothing of any upstream. What a request holds, how long it is and which session it is of is read from --request\n' +
      'as from a real one; --model takes the place of the model that it names, and is needed where the model is in the path.',
    load: () => import('../route/explain.ts'),
  },
]
