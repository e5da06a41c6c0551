import type { Dialects } from '../translate/dialects.ts'
import { probesOf } from '../translate/probing.ts'
import { preferredOf } from '../translate/spoken.ts'
import type { Echo } from '../upstream/echo.ts'
import type { Speech } from '../upstream/upstream.ts'

/** What upstreams are spoken to in. */
export function speechOf({ all, gradesOf }: Dialects, echo: Echo): Speech {
  return {
    listingOf: (provider, baseUrl) => preferredOf(all, gradesOf(provider, baseUrl)),
    gradesOf,
    probes: probesOf(all),
    echo,
  }
}
