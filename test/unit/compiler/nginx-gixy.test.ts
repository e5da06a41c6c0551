import { expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'
import { gixyFindings } from '../../support/gixy.ts'
import { goldenNames, goldenResult } from '../../support/golden.ts'
import { readNginx } from '../../support/nginx-reader.ts'

const fileOf = (files: readonly { path: string; text: string }[]) =>
  files.find(({ path }) => path === 'nginx/gate.conf')?.text

const generated = goldenNames().flatMap((name) => {
  const { result } = goldenResult(name, { targets: ['nginx'] })
  const text = result.kind === 'compiled' ? fileOf(result.files) : undefined
  return text === undefined ? [] : [{ name, text }]
})

test('there are configurations to read', () => expect(generated.length).toBeGreaterThan(4))

test.each(generated)('A10: gixy finds nothing in $name', ({ text }) => {
  expect(gixyFindings(readNginx(text))).toEqual([])
})

/** What the generated text would be with a fault in it, one for each rule. */
const BROKEN: readonly (readonly [rule: string, before: RegExp, after: string])[] = [
  ['host_spoofing', /Host \$host[^;]*;/, 'Host $http_host;'],
  ['host_spoofing', /Host \$host[^;]*;/, 'Host $arg_host;'],
  ['http_splitting', /\$request_uri/, '$uri'],
  ['http_splitting', /X-Real-IP \$remote_addr/, 'X-Path $document_uri'],
  ['ssrf', /proxy_pass http:\/\/\w+/, 'proxy_pass http://$http_x_backend'],
  ['ssrf', /proxy_pass http:\/\/\w+/, 'proxy_pass http://$arg_backend/'],
  ['add_header_redefinition', /proxy_pass/, 'add_header X-Own 1; proxy_pass'],
  ['add_header_multiline', /Referrer-Policy \$\w+/, 'Referrer-Policy "same-origin,\n no-referrer"'],
  ['alias_traversal', /location \/ \{/, 'location /static { alias /srv/static/; } location / {'],
  ['alias_traversal', /location \/ \{/, 'location ^~ /static { alias /srv/static/; } location / {'],
  ['origins', /location \/ \{/, 'if ($http_origin ~ https://ai.example.org) { } location / {'],
  ['valid_referers', /location \/ \{/, 'valid_referers none blocked; location / {'],
]

test.each(BROKEN)('gixy finds %s where %s is %s', (rule, before, after) => {
  const text = generated.find(({ name }) => name === 'web-nginx')?.text ?? ''
  expect(text).toMatch(before)
  const findings = gixyFindings(readNginx(text.replace(before, () => after)))
  expect([...new Set(findings.map((finding) => /\[(.*)\]/.exec(finding)?.[1]))]).toEqual([rule])
})

test.each([
  ['no TLS on the usual port', '', 'Host $host;'],
  ['no TLS on another port', 'http_port = 8080', 'Host $host:$server_port;'],
  ['TLS on the usual port', 'TLS', 'Host $host;'],
  ['TLS on the usual port, HTTP on another', 'TLS\nhttp_port = 8080', 'Host $host;'],
  ['TLS on another port', 'TLS\nhttps_port = 8443', 'Host $host:$server_port;'],
])('A10: the name of the request names its port only where it is not the usual one: %s', (_, proxy, expected) => {
  const tls = proxy.startsWith('TLS') ? '[gate.tls.files]\ncert = "/etc/ssl/a.pem"\nkey = "/etc/ssl/a.key"' : ''
  const spec = `[gate]\ndomain = "ai.example.org"\n${tls}\n[proxy]\nengine = "nginx"\n${proxy.replace('TLS', '')}\n`
  const result = compile(spec, { targets: ['nginx'] })
  if (result.kind === 'refused') return expect.unreachable(JSON.stringify(result.diagnostics))
  expect(fileOf(result.files)).toContain(`proxy_set_header ${expected}`)
  expect(fileOf(result.files)).not.toContain('$http_host')
  return undefined
})
