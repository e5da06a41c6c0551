import { expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'
import { findingsBeforeApply } from '../../../host/doctor/before-apply.ts'
import type { Subject } from '../../../host/doctor/check.ts'
import { type ModelFacts, models } from '../../../host/doctor/checks/models.ts'
import type { HostView } from '../../../host/host.ts'
import { missingModels, neededModels } from '../../../host/plan/models.ts'
import { hostOf } from '../../support/host-tree.ts'
import { pageOf } from './doctor/page.ts'

const PIN = `sha256:${'0'.repeat(64)}`
function deploymentOf(backend: object) {
  const spec = { backends: { one: { image: `localhost/engine@${PIN}`, ...backend } } }
  const result = compile(JSON.stringify(spec), { targets: ['quadlet'] })
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics))
  return result.deployment
}
/** A host where only these paths are. */
const hostWith = (...paths: readonly string[]): HostView =>
  ({ status: (path: string) => (paths.includes(path) ? { kind: 'file' } : undefined) }) as unknown as HostView

const DIRECTORY = '/var/lib/gate/models'
test.each([
  {
    name: 'E2 a repository of Hugging Face',
    backend: { engine: 'vllm', model: 'Qwen/Qwen3-8B-FP8' },
    says: `hf download Qwen/Qwen3-8B-FP8 --local-dir ${DIRECTORY}/Qwen/Qwen3-8B-FP8; then chmod -R a+rX ${DIRECTORY}/Qwen`,
  },
  {
    name: 'E2 one file of a repository',
    backend: { engine: 'llama-cpp', model: 'ggml-org/Qwen3-8B-GGUF/Qwen3-8B-Q4_K_M.gguf' },
    says: `hf download ggml-org/Qwen3-8B-GGUF Qwen3-8B-Q4_K_M.gguf --local-dir ${DIRECTORY}/ggml-org/Qwen3-8B-GGUF;`,
  },
  {
    name: 'a file whose origin its name does not tell',
    backend: { engine: 'llama-cpp', model: 'small.gguf' },
    says: `put it there as root, such as: hf download OWNER/REPOSITORY small.gguf --local-dir ${DIRECTORY};`,
  },
  {
    name: 'a file in a folder of its own',
    backend: { engine: 'llama-cpp', model: 'qwen/small.gguf' },
    says: `put it there as root, such as: hf download OWNER/REPOSITORY small.gguf --local-dir ${DIRECTORY}/qwen;`,
  },
])('$name is missing before any image is pulled, and its download is named', ({ backend, says }) => {
  const needed = neededModels(deploymentOf(backend))
  const [problem, ...more] = missingModels(hostWith(), needed)
  expect(more).toEqual([])
  expect(problem).toMatchObject({
    code: 'MISSING_MODEL',
    message: expect.stringContaining(`${DIRECTORY}/${backend.model}`),
  })
  expect(problem?.hint).toContain(says)
  expect(missingModels(hostWith(`${DIRECTORY}/${backend.model}`), needed)).toEqual([])
})

test('an engine with a store of its own needs no model of the host', () => {
  expect(neededModels(deploymentOf({ engine: 'ollama', network: true }))).toEqual([])
})

test('E2 plan looks at the devices of a GPU, and says what kind of machine this is', async () => {
  const deployment = deploymentOf({ engine: 'vllm', model: 'a/b', gpu: { kind: 'nvidia', devices: ['0'] } })
  const subject = { deployment, isRoot: process.getuid?.() === 0, names: deployment.names } as Subject
  const findings = await findingsBeforeApply(subject)
  expect(findings.map(({ check }) => check)).toEqual(expect.arrayContaining(['machine', 'gpu']))
  expect(findings.find(({ check }) => check === 'gpu')).toMatchObject({
    status: 'fail',
    what: expect.stringContaining('/dev/nvidia'),
  })
})

test('without containers nothing of that is looked at', async () => {
  const result = compile('{}', { targets: ['systemd'] })
  if (result.kind === 'refused') throw new Error('refused')
  expect(await findingsBeforeApply({ deployment: result.deployment } as Subject)).toEqual([])
})

const FACTS: ModelFacts = { needed: 1, isDenied: false, missing: [], unsafe: [], directory: DIRECTORY }
test.each([
  { name: 'none needed', facts: { needed: 0 }, says: 'ok no backend needs one from this host' },
  { name: 'all there', facts: { needed: 2 }, says: 'ok all 2 that backends need' },
  { name: 'not for this caller', facts: { isDenied: true }, says: /^skip/ },
  {
    name: 'missing',
    facts: {
      missing: [{ code: 'MISSING_MODEL', message: 'the model of x is not here', hint: 'hf download' }] as const,
    },
    says: /^fail the model of x is not here\n {2}its backend does not start\n {2}> \/var\/lib\/gate\/models: hf download$/,
  },
])('E2 doctor, models: $name', ({ facts, says }) => {
  expect(pageOf(models, { ...FACTS, ...facts })).toEqual(typeof says === 'string' ? says : expect.stringMatching(says))
})

const KEPT = [
  { name: 'a link beside it', links: { 'a/x.gguf': '../b/x.gguf' }, says: undefined },
  {
    name: 'a link to another disk',
    links: { 'a/x.gguf': '/srv/x.gguf' },
    says: /cannot follow .*x\.gguf, a link to \/srv/,
  },
  {
    name: 'a directory that is a link to another disk',
    links: { a: '/srv' },
    says: /cannot follow .*\/a, a link to \/srv/,
  },
  { name: 'a link out of it', links: { 'a/x.gguf': '../../gate.db' }, says: /a link to \.\.\/\.\.\/gate\.db/ },
]
test.each(KEPT)('of $name, the container sees what is in the models directory', ({ links, says }) => {
  const needed = neededModels(deploymentOf({ engine: 'llama-cpp', model: 'a/x.gguf' }))
  const entries = Object.entries(links).map(([path, target]) => [`${DIRECTORY}/${path}`, { target }])
  const host = hostOf({ [`${DIRECTORY}/a/x.gguf`]: {}, ...Object.fromEntries(entries) })
  expect(missingModels(host, needed).map(({ message }) => message)).toEqual(
    says === undefined ? [] : [expect.stringMatching(says)],
  )
})

test('a link in the directory of a model that leads out of it is named, too', () => {
  const needed = neededModels(deploymentOf({ engine: 'vllm', model: 'a/b' }))
  const host = hostOf({ [`${DIRECTORY}/a/b/part`]: { target: '/srv/blobs/1' } })
  expect(missingModels(host, needed)).toMatchObject([{ message: expect.stringContaining('a/b/part, a link to /srv') }])
})

test('what is mounted below the models, beside others, has its place there', () => {
  const mounts = [{ source: '/srv/disk2', path: '/models/disk2' }]
  const one = { engine: 'llama-cpp', model: 'disk2/x.gguf', mounts }
  expect(neededModels(deploymentOf(one))).toEqual([])
  const needed = neededModels(deploymentOf({ ...one, files: { projector: 'mm.gguf' } }))
  expect(missingModels(hostWith(`${DIRECTORY}/mm.gguf`), needed)).toMatchObject([
    { code: 'MISSING_MODEL', message: expect.stringContaining(`something at ${DIRECTORY}/disk2`) },
  ])
})
