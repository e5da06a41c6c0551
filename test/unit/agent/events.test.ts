import { expect, test } from 'vitest'
import { readEvent } from '../../../agent/events.ts'

const entry = (fields: object) => JSON.stringify({ __REALTIME_TIMESTAMP: '1795200000123456', ...fields })
const EXIT = { MESSAGE_ID: '98e322203f7a4ed290d09fe03c09fe15' }
const exit = (what: string, code: string, status: string) =>
  entry({ ...EXIT, MESSAGE: `gate-a.service: ${what} exited, code=x`, EXIT_CODE: code, EXIT_STATUS: status })

test.each([
  { name: 'a start', line: entry({ MESSAGE_ID: '7d4958e842da4a758f6c1cdc7b36dcc5' }), expected: { event: 'starting' } },
  { name: 'its end', line: entry({ MESSAGE_ID: '39f53479d3a045ac8e11786248231fbf' }), expected: { event: 'ready' } },
  { name: 'a stop', line: entry({ MESSAGE_ID: '9d1aaa27d60140bd96365438aad20286' }), expected: { event: 'stopped' } },
  { name: 'no memory', line: entry({ MESSAGE_ID: 'fe6faa94e7774663a0da52717891d8ef' }), expected: { event: 'oom' } },
  {
    name: 'a container that failed',
    line: exit('Main process', 'exited', '3'),
    expected: { event: 'exited', exit_code: 3 },
  },
  {
    name: 'a signal, by its number',
    line: exit('Main process', 'killed', '9'),
    expected: { event: 'exited', exit_code: 137 },
  },
  {
    name: 'an orderly end, which has no code',
    line: entry({ MESSAGE_ID: '7ad2d189f7e94e70a38c781354912448' }),
    expected: { event: 'exited' },
  },
  {
    name: 'why systemd calls it failed',
    line: entry({ MESSAGE_ID: 'd9b373ed55a64feb8242e02dbe79a49c', UNIT_RESULT: 'oom-kill' }),
    expected: { event: 'failed', reason: 'oom-kill' },
  },
  {
    name: "podman's word about a check",
    line: entry({ MESSAGE: 'container health_status', PODMAN_HEALTH_STATUS: 'unhealthy' }),
    expected: { event: 'unhealthy' },
  },
])('reads $name', ({ line, expected }) => {
  expect(readEvent(line)).toEqual({ time: '2026-11-20T18:40:00.123Z', ...expected })
})

test.each([
  { name: "a remark of journalctl's", line: '-- Boot 1 --' },
  { name: 'another message', line: entry({ MESSAGE: 'ready', MESSAGE_ID: 'constructor' }) },
  { name: 'a message without an id', line: entry({ MESSAGE: 'ready' }) },
  { name: 'what runs after the container', line: exit('Control process', 'exited', '1') },
  { name: 'a code that is not a number', line: exit('Main process', 'exited', '-1') },
  { name: 'a healthy check', line: entry({ PODMAN_HEALTH_STATUS: 'healthy' }) },
])('passes over $name', ({ line }) => {
  expect(readEvent(line)).toBeUndefined()
})
