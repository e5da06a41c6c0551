import { expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'

const HSTS = /Strict-Transport-Security\W+max-age/

test.each([
  { domain: 'ai.example.org', has: true },
  { domain: 'gate.localhost', has: false },
  { domain: 'notlocalhost.test', has: true },
])('pages of $domain have a policy of HSTS: $has', ({ domain, has }) => {
  for (const engine of ['caddy', 'nginx'] as const) {
    const text = `gate.domain = "${domain}"\nproxy.engine = "${engine}"\ngate.tls.internal_ca = true\n`
    const result = compile(text, { targets: [engine] })
    if (result.kind !== 'compiled') throw new Error(JSON.stringify(result.diagnostics))
    const site = result.files.find(({ path }) => /Caddyfile$|\.conf$/.test(path))?.text ?? ''
    expect([engine, HSTS.test(site)]).toEqual([engine, has])
  }
})
