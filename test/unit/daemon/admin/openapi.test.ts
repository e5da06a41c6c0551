import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, test } from 'vitest'
import { openApiDocument } from '../../../../daemon/admin/openapi.ts'
import { page } from '../../../../daemon/admin/reply.ts'
import { apiRoute, nameOf } from '../../../../daemon/admin/route.ts'
import { API_ANSWERS } from '../../../../schemas/api/answers.ts'
import { describedRoutes } from '../../../support/api-routes.ts'

const routes = describedRoutes()
const models = { method: 'POST', path: '/v1beta/models/{model}:say', scope: 'chat:write', dialect: 'google' } as const
const document = openApiDocument(routes, [models], 'https://ai.example.org')

test('the document is what the published schema of OpenAPI 3.1 asks for', async () => {
  const result = await new Validator().validate(structuredClone(document))
  expect(result).toMatchObject({ valid: true })
})

test('every row is in it once, with its scope', () => {
  const { paths } = document as {
    paths: Record<string, Record<string, { 'x-gate-scope': string; operationId: string }>>
  }
  const found = Object.entries(paths).flatMap(([path, at]) =>
    Object.entries(at).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation['x-gate-scope']]),
  )
  const rows = [...routes, models].map((row) => [nameOf(row as (typeof routes)[number]), row.scope])
  expect(found.toSorted()).toEqual(rows.toSorted())
  const ids = Object.values(paths).flatMap((at) => Object.values(at).map(({ operationId }) => operationId))
  expect(new Set(ids).size).toBe(ids.length)
})

test('a route that does not declare its scope does not compile', () => {
  const row = {
    method: 'GET',
    path: '/api/admin/x',
    summary: 'Says nothing',
    answer: 'page',
    handle: () => page(''),
  } as const
  // @ts-expect-error the scope is missing
  expect(apiRoute(row).scope).toBeUndefined()
})

test('no two rows are the same, and each says what it does in one line', () => {
  expect(new Set(routes.map(nameOf)).size).toBe(routes.length)
  for (const { summary, path } of routes) {
    expect(summary, path).toMatch(/^[A-Z][^\n|]{5,150}[^.\s]$/)
    expect(path).toMatch(/^\/(?:api|auth|login|logout|device|passkeys|oauth|\.well-known|managed|v1)(?:\/[\w.{}-]+)*$/)
  }
})

test('a row that changes something is audited', () => {
  const silent = routes.filter(({ method, audit }) => method !== 'GET' && audit === undefined)
  // these change nothing
  expect(
    silent
      .map(nameOf)
      .filter(
        (name) => !/validate|route|options|device|logout|refresh|login|oauth|revoke|metrics|logs|traces/.test(name),
      ),
  ).toEqual([])
})

test('the shapes that gatectl knows are those of the table', () => {
  const byName = new Map(routes.map((route) => [nameOf(route), route.answer]))
  for (const [name, shape] of Object.entries(API_ANSWERS)) {
    if (!name.includes(' /v1/')) expect(byName.get(name), name).toBe(shape)
  }
})
