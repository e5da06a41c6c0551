import { expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'

test.each([
  { name: 'a webhook without anything', alert: { kind: 'webhook' }, missing: ['url', 'secret'] },
  { name: 'a webhook', alert: { kind: 'webhook', url: { env: 'A' }, secret: { env: 'B' } }, missing: [] },
  { name: 'a topic of ntfy, which needs no secret', alert: { kind: 'ntfy', url: { env: 'A' } }, missing: [] },
])('$name', ({ alert, missing }) => {
  const { diagnostics } = compile(JSON.stringify({ alerts: { ops: alert } }), { targets: ['declared'] })
  expect(diagnostics.filter(({ code }) => code === 'MISSING_KEY')).toMatchObject(
    missing.map((key) => ({ severity: 'warning', message: `kind "${alert.kind}" needs ${key}` })),
  )
})

test('secrets are credentials of the daemon, and the declared layer has none of them', () => {
  const ops = { kind: 'webhook', url: { credential: 'ops' }, secret: { file: '/run/secrets/ops' }, events: ['disk'] }
  const result = compile(JSON.stringify({ alerts: { ops } }), { targets: ['declared', 'systemd'] })
  if (result.kind === 'refused') return expect.unreachable(JSON.stringify(result.diagnostics))
  const textOf = (end: string) => result.files.find(({ path }) => path.endsWith(end))?.text ?? ''
  expect(JSON.parse(textOf('declared/declared.json'))).toMatchObject({
    alerts: { ops: { enabled: true, kind: 'webhook', events: ['disk'] } },
  })
  expect(textOf('declared/declared.json')).not.toContain('/run/secrets')
  const unit = textOf('gate-daemon.service').split('\n')
  expect(unit.filter((line) => line.startsWith('LoadCredential=alerts.'))).toEqual([
    'LoadCredential=alerts.ops.url:ops',
    'LoadCredential=alerts.ops.secret:/run/secrets/ops',
  ])
})
