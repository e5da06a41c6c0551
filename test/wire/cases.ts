import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Grade } from '../../schemas/words/dialects.ts'
import type { Check } from './checks.ts'

/** One request through Gate; README.md says what each field means. */
export type Case = {
  /** `<ingress>/<upstream>/<case>` */
  readonly name: string
  readonly folder: string
  readonly ingress: string
  readonly upstream: string
  readonly why: string
  readonly provider?: string
  readonly path?: string
  readonly tool_arguments?: 'check' | 'repair'
  readonly grade?: Grade
  readonly client_request: Readonly<Record<string, unknown>>
  readonly upstream_response?: Readonly<Record<string, unknown>> | readonly string[]
  readonly upstream_status?: number
  readonly broken_answer?: boolean
  readonly beyond_sdk?: boolean
  readonly expect?: { readonly upstream_request?: readonly Check[]; readonly client_response?: readonly Check[] }
  readonly dropped?: readonly string[]
  readonly refused?: string
}

const root = import.meta.dirname

export const CASES: readonly Case[] = globSync('*/*/*/case.json', { cwd: root })
  .sort()
  .map((path) => {
    const [ingress = '', upstream = '', title = ''] = path.split('/')
    const fields = JSON.parse(readFileSync(join(root, path), 'utf8'))
    const place = { name: `${ingress}/${upstream}/${title}`, folder: join(root, ingress, upstream, title) }
    return { ...fields, ...place, ingress, upstream }
  })
