import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { RouteScope } from '../../daemon/admin/route.ts'

/** A route as the document of a daemon says it. */
export type Documented = {
  readonly method: string
  readonly path: string
  readonly scope: RouteScope
  readonly summary: string
  /** Of the API, so that its answers have shapes. */
  readonly isApi: boolean
}

type Operation = {
  readonly 'x-gate-scope': RouteScope
  readonly summary: string
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { schema: object }>> }>>
}
type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: object
}

/** The document of a running daemon, which says what routes there are and judges their answers. */
export async function openApiOf(url: string) {
  const answer = await fetch(`${url}/api/openapi.json`)
  const document = (await answer.json()) as Document // its own test validates it
  const ajv = new Ajv2020({ strict: false, validateFormats: true })
  addFormats.default(ajv)
  ajv.addSchema({ $id: 'gate', ...document })
  const compiled = new Map<string, ValidateFunction>()

  function shapeAt(path: string, method: string, status: string, type: string): ValidateFunction | null {
    const schema = document.paths[path]?.[method.toLowerCase()]?.responses[status]?.content?.[type]?.schema
    if (schema === undefined) return null
    const parts = ['paths', path, method.toLowerCase(), 'responses', status, 'content', type, 'schema']
    const ref = `gate#/${parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`
    const known = compiled.get(ref)
    if (known !== undefined) return known
    const made = ajv.compile({ $ref: ref })
    compiled.set(ref, made)
    return made
  }

  const routes: readonly Documented[] = Object.entries(document.paths).flatMap(([path, at]) =>
    Object.entries(at).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      scope: operation['x-gate-scope'],
      summary: operation.summary,
      isApi: Object.keys(operation.responses['default']?.content ?? {}).includes('application/problem+json'),
    })),
  )

  return {
    document,
    routes,
    /** What is wrong with an answer of a route by the document; empty: nothing. */
    faults(route: Pick<Documented, 'method' | 'path'>, status: number, type: string, text: string): readonly string[] {
      const media = type.split(';')[0] ?? ''
      const { path, method } = route
      const shape =
        shapeAt(path, method, String(status), media) ??
        shapeAt(path, method, String(status), '*/*') ??
        shapeAt(path, method, 'default', media) ??
        shapeAt(path, method, 'default', '*/*')
      if (shape === null) return [`${status} ${media} is not declared`]
      if (media !== 'application/json' && media !== 'application/problem+json') return []
      if (shape(JSON.parse(text))) return []
      return (shape.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`)
    },
  }
}
