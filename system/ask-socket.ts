import { request } from 'node:http'

const MAX_ANSWER_BYTES = 2 ** 18

/**
 * Asks an HTTP server on a Unix socket.
 * @param host the value of the Host header @returns the answer's status and body, which is at most 256 KiB
 * @throws Error when it does not answer
 */
export function askSocket(
  { socketPath, host, path }: { readonly socketPath: string; readonly host: string; readonly path: string },
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, headers: { host }, signal }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.once('error', reject)
      response.on('data', (part: string) => {
        text += part
        if (text.length > MAX_ANSWER_BYTES) response.destroy(new Error('the answer is too long'))
      })
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    asked.once('error', reject)
    asked.end()
  })
}
