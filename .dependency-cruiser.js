// Who may import whom. docs/architecture.md says why; test/boundary.test.ts proves that each rule bites.

const stages = ['auth', 'admit', 'route', 'backends', 'translate', 'upstream', 'meter']

/** The package may be imported from these folders only. */
const wrapped = (name, from) => ({
  name: `only-wrapper-imports-${name.replace(/[@/]/g, '')}`,
  comment: `${name} is imported in ${from} only; everybody else uses that wrapper`,
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
    {
      name: 'schemas-import-nothing-of-ours',
      severity: 'error',
      from: { path: '^schemas/' },
      to: { path: '^(compiler|daemon|bin|test|bench|scripts)/' },
    },
    {
      name: 'compiler-never-imports-daemon',
      severity: 'error',
      from: { path: '^compiler/' },
      to: { path: '^daemon/' },
    },
    {
      name: 'only-ctl-and-agent-import-compiler',
      severity: 'error',
      from: { path: '^daemon/', pathNot: '^daemon/(ctl|agent)/' },
      to: { path: '^compiler/' },
    },
    ...stages.map((stage) => ({
      name: `stage-${stage}-imports-no-other-stage`,
      comment: 'only gateway.ts sequences the stages, only main.ts constructs them',
      severity: 'error',
      from: { path: `^daemon/${stage}/` },
      to: { path: `^daemon/(${stages.filter((s) => s !== stage).join('|')})/` },
    })),
    {
      name: 'stages-do-not-import-store',
      comment: 'a stage declares the interface it needs; store implements it',
      severity: 'error',
      from: { path: `^daemon/(${stages.join('|')})/` },
      to: { path: '^daemon/(store|config|listener|ctl)/' },
    },
    {
      name: 'sources-never-import-tests',
      severity: 'error',
      from: { path: '^(bin|schemas|compiler|daemon)/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'translate-does-no-io',
      severity: 'error',
      from: { path: '^daemon/translate/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'gatectl-starts-without-validators',
      comment:
        'gatectl starts in 150 ms: schemas, zod and smol-toml are loaded for their types, or by the command that needs them',
      severity: 'error',
      from: { path: '^(bin/gatectl|daemon/ctl/)' },
      to: {
        path: '^schemas/(admin|config|keys|spec[a-z-]*)\\.ts|^daemon/config/|node_modules/(zod|smol-toml)/',
        dependencyTypesNot: ['type-only', 'dynamic-import'],
      },
    },
    wrapped('undici', '^daemon/(upstream|relay)/'),
    wrapped('better-sqlite3', '^daemon/store/sqlite/'),
    wrapped('smol-toml', '^(compiler/parse|daemon/config)/'),
    wrapped('prom-client', '^daemon/meter/'),
    wrapped('node-pty', '^daemon/agent/'),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|node_modules/\\.)' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      conditionNames: ['import', 'node', 'types', 'default'],
    },
  },
}
