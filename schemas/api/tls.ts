import { certificateStatus, tlsStatus } from '../admin-tls.ts'

export const TLS_ANSWERS = {
  'GET /api/admin/tls': tlsStatus,
  'POST /api/admin/tls/{name}/renew': certificateStatus,
} as const
