import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'

/** What the completion scripts ask for: one word per line. */
export const run: Run = async ({ admin, arguments: [what], print }) => {
  switch (what) {
    case 'config-key': {
      const { keys } = await admin.ask('GET /v1/config')
      for (const { key } of keys) print(key)
      return 0
    }
    case 'token-id': {
      const { tokens } = await admin.ask('GET /v1/tokens')
      for (const { id, revoked_at } of tokens) if (revoked_at === undefined) print(id)
      return 0
    }
    case 'backend-name': {
      const { backends } = await admin.ask('GET /v1/backends')
      for (const { name } of backends) print(name)
      return 0
    }
    default:
      throw usageFailure(`gatectl complete: no list called "${what}"`, 'there are: config-key, token-id, backend-name')
  }
}
