import type { Answer } from './answer.ts'

export function sendJson(answer: Answer, status: number, value: unknown): void {
  answer.end(status, { 'content-type': 'application/json' }, Buffer.from(JSON.stringify(value)))
}
