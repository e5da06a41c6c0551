import { backendJob } from './job.ts'

export const run = backendJob('restart')
