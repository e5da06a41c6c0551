import { parentPort } from 'node:worker_threads'
import { createVerdicts, type Question } from './verdict.ts'

// Answers one question after the other, as a thread of the daemon: first that it is ready, then a verdict for each.
const verdictOf = createVerdicts()
parentPort?.on('message', (question: Question) => parentPort?.postMessage(verdictOf(question)))
parentPort?.postMessage(null)
