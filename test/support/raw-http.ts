import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

const TLS = { servername: 'localhost', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }

/**
 * Sends bytes to a server as they are and returns all that it says until it closes, or until `enough` is in it.
 * @param isSecure over TLS, whatever the URL says
 */
export function sendRaw(
  url: string,
  bytes: string,
  { enough = '', deadlineMs = 10_000, isSecure = false } = {},
): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    let said = ''
    const send = () => socket.write(bytes, 'latin1')
    const socket = isSecure ? connectTls(Number(port), hostname, TLS, send) : connect(Number(port), hostname, send)
    const timer = setTimeout(() => socket.destroy(new Error(`no end after ${deadlineMs} ms: ${said}`)), deadlineMs)
    const end = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(said)
    }
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1')
      if (enough !== '' && said.includes(enough)) end()
    })
    socket.on('close', end)
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return
      clearTimeout(timer)
      reject(error)
    })
  })
}
