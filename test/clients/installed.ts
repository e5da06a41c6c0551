import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Untyped } from './client.ts'

const NODE_MODULES = join(import.meta.dirname, 'node_modules')

/** Whether the clients of this package are here; `npm test` installs them where it can reach a registry. */
export const HAS_CLIENTS = existsSync(join(NODE_MODULES, '.package-lock.json'))
export const NEEDS_CLIENTS = HAS_CLIENTS ? '' : ' (needs npm install in test/clients)'

/** A module of this package, by its name. */
export const clientModule = (name: string): Promise<Untyped> => import(name)
