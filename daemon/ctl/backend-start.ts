import { backendJob } from './backend-job.ts'

export const run = backendJob('start')
