// An OpenAI-compatible upstream for the lab that streams one token every tenth of a second, `max_tokens` of them.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

const TOKEN_MS = 100

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET') {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ object: 'list', data: [{ id: 'slow', object: 'model' }] }))
    return
  }
  let body = ''
  for await (const chunk of request) body += String(chunk)
  const { max_tokens: tokens } = JSON.parse(body) as { max_tokens: number }
  response.setHeader('content-type', 'text/event-stream')
  for (let i = 0; i < tokens && !response.destroyed; i++) {
    const chunk = { id: 'c', object: 'chat.completion.chunk', created: 0, model: 'slow' }
    const choices = [{ index: 0, delta: { content: `${i} ` }, finish_reason: null }]
    response.write(`data: ${JSON.stringify({ ...chunk, choices })}\n\n`)
    await new Promise((resolve) => setTimeout(resolve, TOKEN_MS))
  }
  response.end('data: [DONE]\n\n')
}

createServer((request, response) => void answer(request, response)).listen(9100, '127.0.0.1')
