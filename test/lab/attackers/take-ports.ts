// What a login runs to get what is meant for others: it takes each port of the loopback that is listened on now, and
// those that it is told, as soon as they are free, and prints what comes there: node take-ports.ts PORT…
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const RETRY_MS = 10
const LISTENING = '0A'

const listening = readFileSync('/proc/net/tcp', 'utf8')
  .split('\n')
  .slice(1)
  .map((line) => line.trim().split(/\s+/))
const used = listening.filter(([, , , state]) => state === LISTENING)
const ports = used.map(([, address = '']) => Number.parseInt(address.split(':')[1] ?? '', 16))

for (const port of new Set([...ports, ...process.argv.slice(2).map(Number)])) {
  const server = createServer((request, response) => {
    console.log(`got ${request.method} ${request.url} on ${port}`)
    response.writeHead(404).end()
  })
  server.on('listening', () => console.log(`took ${port}`))
  server.on('error', () => setTimeout(() => server.listen(port, '127.0.0.1'), RETRY_MS))
  server.listen(port, '127.0.0.1')
}
process.stdin.resume().on('end', () => process.exit())
