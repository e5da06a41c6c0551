import type { Observed } from '../../host/plan/observe.ts'
import type { Plan } from '../../host/plan/plan.ts'
import type { Generation, GenerationUnit } from '../../schemas/deploy/generation.ts'

/** Whose a part of a plan is: `backend qwen`, `gateway`, or `host` for what they share. */
export type Owners = {
  ofAccount(name: string): string
  /** Also of the name of a system unit. */
  ofPath(path: string): string
  ofUnit(unit: GenerationUnit): string
}

/** What a plan removes belongs to accounts of the generations before. */
export function ownersOf({ desired }: Pick<Plan, 'desired'>, { generations }: Pick<Observed, 'generations'>): Owners {
  const { prefix } = desired.generation
  const known = [...generations.manifests.values(), desired.generation].flatMap(({ accounts }) => accounts)
  // only containers need a manager that lingers
  const backends = [...new Map(known.filter(({ linger }) => linger).map((account) => [account.name, account])).values()]
  const title = (name: string) => `backend ${name.slice(prefix.length + 1)}`
  const ofAccount = (name: string) => (backends.some((account) => account.name === name) ? title(name) : 'gateway')
  const ofPath = (path: string) => {
    const backend = backends.find((account) => isAbout(path, account))
    if (backend !== undefined) return title(backend.name)
    const isOfGateway = [`${prefix}-daemon`, `${prefix}-egress`, `/etc/${prefix}/`].some((own) => path.startsWith(own))
    return isOfGateway || path.includes(`/${prefix}-`) ? 'gateway' : 'host'
  }
  return {
    ofAccount,
    ofPath,
    ofUnit: ({ manager, name }) => (manager === 'system' ? ofPath(name) : ofAccount(manager)),
  }
}

/** Its home, its units and those that the host has for it, what carries its name or its id. */
function isAbout(path: string, { name, uid, home }: Generation['accounts'][number]): boolean {
  const words = path.split(/[/@.]/)
  return (
    path === home ||
    path.startsWith(`${home}/`) ||
    [name, `${name}-directory`, `${name}-secrets`].some((own) => words.includes(own)) ||
    (uid !== undefined && words.includes(`${uid}`))
  )
}
