import { TEXT_ANSWERS } from '../../../schemas/api/texts.ts'
import type { KeptText } from '../../gateway/texts.ts'
import { AdminError } from '../error.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'

export type TextParts = {
  /** What is kept of a request, as JSON; null: nothing. @throws Error while it cannot be read */
  readonly textOf: (requestId: string) => string | null
}

/** Prompts and answers. Who reads one is in the audit. */
export function textRoutes({ textOf }: TextParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/texts/{id}',
      scope: 'admin',
      summary: 'Shows what was asked and answered in one request, where that is kept',
      audit: 'text.read',
      answer: TEXT_ANSWERS['GET /api/admin/texts/{id}'],
      handle: ({ params: { id = '' } }) => {
        const text = textOf(id)
        if (text === null)
          throw new AdminError('TEXT_NOT_FOUND', `nothing is kept of request ${id}`, {
            hint: 'usage.keep_text says whose prompts and answers are kept',
          })
        const { at, ...kept } = JSON.parse(text) as KeptText // it was sealed by this daemon
        return json(
          { request_id: id, at: new Date(at).toISOString(), ...kept },
          { change: { object: `request:${id}`, new: { key: kept.key_id, model: kept.model } } },
        )
      },
    }),
  ]
}
