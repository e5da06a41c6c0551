/**
 * Sizes of machines, which a spec names as `gate.profile`: they decide connection limits, body limits, cache and memory
 * caps.
 */
export const PROFILE_NAMES = ['desktop', 'small-vps', 'medium-vps', 'large-vps'] as const
