import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { agentRequest } from '../../bench/agent-request.ts'
import { sourcesOf } from '../../bench/before.ts'
import { parseSchedstat } from '../../bench/children.ts'
import { verdictOf } from '../../bench/compare.ts'
import { DIALECT_NAMES, DIALECTS } from '../../bench/dialects.ts'
import { parseH2Load } from '../../bench/h2load.ts'
import { answerStatus } from '../../bench/rate-client.ts'
import { startServer } from '../../bench/servers.ts'
import { afterWarmUp, flatness } from '../../bench/soak.ts'
import { median, medianOf, percentile, slopeOf } from '../../bench/statistics.ts'
import { createCheck } from '../../bench/stream-client.ts'
import { count, markdownTable } from '../../bench/table.ts'
import { parseWrk, wrkArgv } from '../../bench/wrk.ts'

test.each([
  { values: [1, 2, 3, 4], rank: 50, expected: 2 },
  { values: [1, 2, 3, 4], rank: 99, expected: 4 },
  { values: [7], rank: 1, expected: 7 },
  { values: [], rank: 50, expected: Number.NaN },
])('percentile $rank of $values is $expected', ({ values, rank, expected }) => {
  expect(percentile(values, rank)).toBe(expected)
})

test.each([
  { values: [9, 1, 5], expected: 5 },
  { values: [4, 1, 3, 2], expected: 2.5 },
  { values: [], expected: Number.NaN },
])('the median of $values is $expected', ({ values, expected }) => {
  expect(median(values)).toBe(expected)
})

test('takes the median of a figure, but the worst run of a failure', () => {
  const runs = [
    { speed: 10, failed: 0 },
    { speed: 30, failed: 7 },
    { speed: 20, failed: 0 },
  ]
  expect(medianOf(runs, ['speed', 'failed'], ['failed'])).toEqual({ speed: 20, failed: 7 })
})

const wrkOutput = (extra: string) => `Running 4s test @ http://127.0.0.1:9103/v1/chat/completions
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    69.44ms  140.16ms   1.33s    94.83%
    Req/Sec     1.55k   708.08     3.05k    61.67%
  Latency Distribution
     50%  932.00us
     75%   55.99ms
     90%   85.60ms
     99%    1.20s
  9267 requests in 6.01s, 5.40MB read
${extra}Requests/sec:   1541.18
Transfer/sec:      0.90MB
`

test('reads the figures of h2load, which counts more answers than it takes for done', () => {
  const output = `finished in 2.00s, 37564.00 req/s, 1.61MB/s
requests: 75128 total, 75192 started, 75128 done, 75120 succeeded, 8 failed, 8 errored, 0 timeout
status codes: 75160 2xx, 0 3xx, 2 4xx, 1 5xx
`
  expect(parseH2Load(output)).toEqual({ requestsPerSecond: 37_564, requests: 75_128, failed: 11 })
  expect(() => parseH2Load('nothing')).toThrow('h2load printed no')
})

test('reads the figures of wrk in one unit', () => {
  const expected = { requestsPerSecond: 1541.18, requests: 9267, p50Us: 932, p99Us: 1_200_000, failed: 0 }
  expect(parseWrk(wrkOutput(''))).toEqual(expected)
})

test('counts refused requests and broken connections of wrk as failed', () => {
  const extra = '  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 100\n'
  expect(parseWrk(wrkOutput(extra)).failed).toBe(110)
})

test.each([1, 2, 60])('B16: in a window of %i s, wrk counts no answer as failed that only comes late', (seconds) => {
  const argv = wrkArgv(seconds, 'post.lua', 'http://127.0.0.1:1/')
  expect(Number.parseInt(argv[argv.indexOf('--timeout') + 1] ?? '', 10)).toBeGreaterThan(seconds + 5)
})

test('refuses output of wrk without a rate', () => {
  expect(() => parseWrk('unable to connect to 127.0.0.1:1 Connection refused')).toThrow(/wrk printed no/)
})

test.each([
  { name: 'half a head', text: 'HTTP/1.1 200 OK\r\ncontent-le', expected: undefined },
  { name: 'half a body', text: 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab', expected: undefined },
  { name: 'a whole body', text: 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd', expected: 200 },
  { name: 'chunks without end', text: 'HTTP/1.1 429 x\r\nx: y\r\n\r\n2\r\nab\r\n', expected: undefined },
  { name: 'all chunks', text: 'HTTP/1.1 429 x\r\nx: y\r\n\r\n2\r\nab\r\n0\r\n\r\n', expected: 429 },
])('finds the status of $name: $expected', ({ text, expected }) => {
  expect(answerStatus(text)).toBe(expected)
})

const frame = (content: string) => `data: {"choices":[{"delta":{"content":"${content}"},"finish_reason":null}]}\n\n`
const end =
  'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: {"choices":[],"usage":{"completion_tokens":2}}\n\ndata: [DONE]\n\n'

test.each([
  { name: 'a whole stream', text: frame('0 ') + frame('1 ') + end, fault: undefined },
  { name: 'a comment between frames', text: `${frame('0 ')}: ping\n\n${frame('1 ')}${end}`, fault: undefined },
  { name: 'a lost frame', text: frame('0 ') + end, fault: '1 of 2 tokens' },
  { name: 'frames in the wrong order', text: frame('1 ') + frame('0 ') + end, fault: 'token 0 expected, "1 " came' },
  { name: 'a frame twice', text: frame('0 ') + frame('0 ') + end, fault: 'token 1 expected, "0 " came' },
  { name: 'a cut stream', text: frame('0 ') + frame('1 '), fault: 'without finish, usage, done' },
  { name: 'a frame after the end', text: frame('0 ') + frame('1 ') + end + frame('2 '), fault: /after the last/ },
])('checks $name', ({ text, fault }) => {
  const check = createCheck(2)
  for (const character of text) check.push(character)
  if (fault instanceof RegExp) expect(check.fault()).toMatch(fault)
  else expect(check.fault()).toBe(fault)
})

test('aligns a table, the first column to the left', () => {
  const rows = [
    ['server', 'rate'],
    ['a', '10,000'],
  ]
  expect(markdownTable(rows)).toBe('| server |   rate |\n|--------|-------:|\n| a      | 10,000 |')
})

test.each([
  { value: 12_345.678, digits: 1, expected: '12,345.7' },
  { value: Number.NaN, digits: 0, expected: '-' },
])('writes $value as $expected', ({ value, digits, expected }) => {
  expect(count(value, digits)).toBe(expected)
})

test.each([
  { name: 'all below the goal', ratios: [1, 1.02, 1.05, 1.08, 1.1], waited: [], goal: 1.1, expected: 'met' },
  { name: 'all above the goal', ratios: [1.2, 1.3, 1.2, 1.2, 1.11], waited: [0, 0.9], goal: 1.1, expected: 'missed' },
  { name: 'the goal in between', ratios: [1, 1, 1, 1, 1.11], waited: [], goal: 1.1, expected: 'undecided: the spread' },
  {
    name: 'a wait for the core',
    ratios: [1, 1, 1, 1, 1],
    waited: [2, 3],
    goal: 1.1,
    expected: 'undecided: the servers',
  },
  { name: 'four runs', ratios: [1, 1, 1, 1], waited: [], goal: 1.1, expected: 'undecided: fewer' },
  { name: 'a difference without a goal', ratios: [2, 3, 4, 5, 6], waited: [], goal: null, expected: 'more' },
  {
    name: 'none without a goal',
    ratios: [0.9, 1.1, 1, 1, 1],
    waited: [],
    goal: null,
    expected: 'undecided: the spread',
  },
])('says of $name: $expected', ({ ratios, waited, goal, expected }) => {
  expect(verdictOf(ratios, waited, goal, 1)).toMatch(new RegExp(`^${expected}`))
})

test('reads how long a thread ran and how long it waited for a core', () => {
  expect(parseSchedstat('1336968 961042 2\n')).toEqual({ cpuMs: 1.336968, waitedMs: 0.961042 })
  expect(parseSchedstat('')).toEqual({ cpuMs: 0, waitedMs: 0 })
})

test('draws a line through points', () => {
  const rising = Array.from({ length: 50 }, (_, x) => [x, 7 + 2 * x + (x % 2 === 0 ? 1 : -1)] as const)
  const { slope, error } = slopeOf(rising)
  expect(slope).toBeCloseTo(2, 1)
  expect(error).toBeLessThan(0.02)
  expect(slopeOf([[1, 1]]).slope).toBeNaN()
})

test.each([
  { slope: 0.2, error: 0.1, expected: /^flat/ },
  { slope: -3, error: 1, expected: /^flat/ },
  { slope: 5, error: 1, expected: /^it grows/ },
  { slope: 1, error: 1, expected: /^undecided/ },
  { slope: Number.NaN, error: Number.NaN, expected: /^undecided/ },
])('says of memory that grows by $slope MiB, give or take $error: $expected', ({ slope, error, expected }) => {
  expect(flatness(slope, error)).toMatch(expected)
})

test.each(DIALECT_NAMES)('a stream that the mock writes as %s is whole for the client', (name) => {
  const { start, token, end } = DIALECTS[name]
  const text = start + [0, 1, 2].map(token).join('') + end(3, true)
  const check = createCheck(3, name)
  for (const character of text) check.push(character)
  expect(check.fault()).toBeUndefined()
  const cut = createCheck(3, name)
  cut.push(start + token(0) + token(2) + end(3, true))
  expect(cut.fault()).toBe('token 1 expected, "2 " came')
})

test.each(DIALECT_NAMES)('what an agent sends as %s is as long as what Claude Code does', (name) => {
  const { length } = JSON.stringify(agentRequest(name, 'mock', 200))
  expect(length).toBeGreaterThan(43_000)
  expect(length).toBeLessThan(48_000)
})

test('a soak that ends early is judged by the requests that were sent', () => {
  const samples = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((batch) => ({ requests: batch * 10_000 }))
  expect(afterWarmUp(samples).map(({ requests }) => requests / 10_000)).toEqual([3, 4, 5, 6, 7, 8, 9, 10])
  expect(afterWarmUp([])).toEqual([])
})

test('the Gate of before is not this one', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gate-bench-test-'))
  const mock = { target: { port: 1 } } as Parameters<typeof startServer>[2]
  try {
    await expect(startServer('before', 'answers', mock, directory)).rejects.toThrow('--before COMMIT')
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('of sources that cannot be completed no worktree stays', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gate-bench-test-'))
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x', '-C', directory, ...args], { encoding: 'utf8' })
  try {
    git('init', '-q')
    writeFileSync(join(directory, 'node_modules'), '') // where the dependencies would be
    git('add', '.')
    git('commit', '-qm', 'x')
    expect(() => sourcesOf('HEAD', directory)).toThrow('EEXIST')
    expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1)
    expect(() => sourcesOf('nowhere', directory)).toThrow()
  } finally {
    rmSync(directory, { recursive: true })
  }
})
