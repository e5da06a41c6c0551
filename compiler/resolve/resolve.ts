import type { Spec } from '../../schemas/spec/spec.ts'
import type { Finding } from '../diagnostic.ts'
import { checkBackends } from './backends.ts'
import { checkGateway } from './gateway.ts'
import { checkModels, checkServers, checkTargetUrls } from './models.ts'
import type { DefinedNames } from './names.ts'
import { checkWeb } from './web.ts'

/** What the spec says that no machine could do: names that lead nowhere, settings that contradict each other. */
export function resolve(spec: Spec, names: DefinedNames): Finding[] {
  return [
    ...checkGateway(spec),
    ...checkWeb(spec),
    ...checkBackends(spec),
    ...checkModels(spec.models, names),
    ...checkTargetUrls(spec),
    ...checkServers(spec.models, spec.backends),
  ]
}
