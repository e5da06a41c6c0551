// Who may import whom. docs/architecture.md says why; test/unit/boundary.test.ts proves that each rule bites.

const below = 'schemas syntax wire system'
const sources = `bin ${below} compiler config pki store host agent ctl daemon`
const stages = ['auth', 'admit', 'route', 'backends', 'translate', 'upstream', 'meter', 'check']

const folders = (names) => `^(${names.split(' ').join('|')})/`

/** Modules of `folder` import nothing of the project but what is in `allowed` (folder names; its own is always allowed). */
const importsOnly = (folder, allowed) => ({
  name: `${folder}-imports-only-what-lies-below`,
  comment: `${folder} may import: ${allowed === '' ? 'nothing of the project' : allowed}`,
  severity: 'error',
  from: { path: `^${folder}/` },
  to: {
    path: folders(`${sources} test bench scripts`),
    pathNot: folders(`${folder} ${allowed}`.trim()),
  },
})

/** The package is imported from one place only. */
const wrapped = (name, from) => ({
  name: `only-wrapper-imports-${name.replace(/[@/]/g, '')}`,
  comment: `${name} is imported in ${from} only; everything else uses that wrapper`,
  severity: 'error',
  from: { pathNot: [from, '^test/', '^bench/'] },
  to: { path: `(?:node_modules/|^)${name}(?:/|$)` },
})

export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-unresolved',
      comment: 'but for node-pty, which is left out where it cannot be compiled',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^node-pty$' },
    },
    importsOnly('schemas', ''),
    importsOnly('syntax', 'schemas'),
    importsOnly('wire', ''),
    importsOnly('system', ''),
    importsOnly('compiler', 'schemas syntax'),
    importsOnly('config', below),
    importsOnly('pki', below),
    {
      ...importsOnly('store', below),
      comment: 'store implements the interfaces that the stages declare, so it may import their types',
      to: { ...importsOnly('store', below).to, dependencyTypesNot: ['type-only'] },
    },
    importsOnly('host', `${below} compiler pki store`),
    importsOnly('agent', `${below} compiler`),
    importsOnly('ctl', `${below} compiler config host`),
    importsOnly('daemon', `${below} config pki store`),
    {
      name: 'compiler-is-pure',
      comment: 'of Node it may use net (to parse addresses) and crypto (to hash); everything else would be I/O',
      severity: 'error',
      from: { path: '^compiler/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(net|crypto)$' },
    },
    {
      name: 'agent-imports-emitters-only',
      severity: 'error',
      from: { path: '^agent/' },
      to: { path: '^compiler/', pathNot: '^compiler/emit/' },
    },
    ...stages.map((stage) => ({
      name: `stage-${stage}-imports-no-other-stage`,
      comment: 'only daemon/gateway/ joins the stages',
      severity: 'error',
      from: { path: `^daemon/${stage}/` },
      to: { path: `^daemon/(${stages.filter((s) => s !== stage).join('|')})/` },
    })),
    {
      name: 'only-gateway-joins-stages',
      comment: 'rooms beside the stages (admin, listener, process, log) use what assembly/ hands them; types are free',
      severity: 'error',
      from: { path: '^daemon/(admin|listener|process|log)/' },
      to: { path: `^daemon/(${stages.join('|')}|gateway)/`, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'stages-do-not-import-store',
      comment: 'a stage declares the interface that it needs; store implements it',
      severity: 'error',
      from: { path: `^daemon/(${stages.join('|')})/` },
      to: { path: '^(store|config)/|^daemon/(gateway|assembly|admin|listener)/', pathNot: '^daemon/gateway/dialect' },
    },
    {
      name: 'only-main-imports-assembly',
      comment: 'assembly/ constructs the parts, main.ts orders their start and stop; no part knows how it is made',
      severity: 'error',
      from: { path: '^daemon/', pathNot: '^daemon/(main\\.ts$|assembly/)' },
      to: { path: '^daemon/(assembly/|main\\.ts$)' },
    },
    {
      name: 'rooms-of-the-relay-stand-apart',
      comment:
        'what both ends of a tunnel share is daemon/relay/protocol.ts; daemon/relay/assembly/ joins the rest; types are free',
      severity: 'error',
      from: { path: '^daemon/relay/(client|server|registry)/' },
      to: {
        path: '^daemon/relay/(client|server|registry|dns|admin|assembly)/',
        pathNot: '^daemon/relay/$1/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'the-daemon-is-no-relay',
      comment: 'of the relay the daemon knows the client and the protocol',
      severity: 'error',
      from: { path: '^daemon/', pathNot: '^daemon/relay/' },
      to: { path: '^daemon/relay/', pathNot: '^daemon/relay/(client|peers)/|^daemon/relay/protocol\\.ts$' },
    },
    {
      name: 'dialects-do-not-import-each-other',
      severity: 'error',
      from: { path: '^daemon/translate/([^/]+)/' },
      to: { path: '^daemon/translate/[^/]+/', pathNot: '^daemon/translate/$1/' },
    },
    {
      name: 'translate-does-no-io',
      comment: 'a hash is computed; nothing is read or sent',
      severity: 'error',
      from: { path: '^daemon/translate/' },
      to: { dependencyTypes: ['core'], pathNot: '^crypto$' },
    },
    {
      name: 'gatectl-starts-without-validators',
      comment:
        'gatectl starts in 150 ms: schemas, zod and smol-toml are loaded for their types, or by the command that needs them',
      severity: 'error',
      from: { path: '^(bin/gatectl|ctl/)' },
      to: {
        path: '^schemas/(admin(?:-usage|-tls|-relay|-peers)?\\.ts|config/|spec/)|^config/|node_modules/(zod|smol-toml)/',
        pathNot: '^schemas/(config/layers|spec/path)\\.ts$',
        dependencyTypesNot: ['type-only', 'dynamic-import'],
      },
    },
    wrapped('ajv', '^daemon/check/'),
    wrapped('undici', '^daemon/(upstream|relay/client)/'),
    wrapped('better-sqlite3', '^store/sqlite/'),
    wrapped('openid-client', '^daemon/auth/oidc/'),
    wrapped('@simplewebauthn/server', '^daemon/auth/passkey/'),
    wrapped('node-pty', '^agent/'),
    wrapped('acme-client', '^pki/'),
    wrapped('@peculiar/x509', '^pki/'),
    wrapped('reflect-metadata', '^pki/'),
    wrapped('node-forge', '^pki/'),
    wrapped('smol-toml', '^syntax/toml/'),
    wrapped('prom-client', '^daemon/meter/'),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|test/wire/schemas/|node_modules/\\.)' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      extensions: ['.ts', '.js', '.json'],
      conditionNames: ['import', 'node', 'types', 'default'],
    },
  },
}
