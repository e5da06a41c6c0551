import type { Via } from '../listener/via.ts'
import type { ListedModel } from '../route/route-table.ts'

/**
 * The models that a client is told of. Another gateway is not told of those that this one only passes on from a third:
 * two that use each other would list what they were told, under one more name each time. They may be asked for all the same.
 * @param providerOf undefined: there is no such upstream, so the model is one of the configuration
 */
export function lentTo(
  { peerNode }: Pick<Via, 'peerNode'>,
  models: readonly ListedModel[],
  providerOf: (upstream: string) => string | undefined,
): readonly ListedModel[] {
  return peerNode === undefined ? models : models.filter(({ ownedBy }) => providerOf(ownedBy) !== 'peer')
}
