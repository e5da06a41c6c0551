import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { Outlet } from '../gateway/outlet.ts'

/** A request, whichever version of HTTP it came over. `complete`: its body has come whole. */
export type ClientRequest = Readable &
  Pick<
    IncomingMessage,
    'headers' | 'rawHeaders' | 'method' | 'url' | 'httpVersion' | 'httpVersionMinor' | 'complete' | 'socket'
  >

/** Where its answer goes. */
export type ClientResponse = Outlet & {
  readonly req: Pick<IncomingMessage, 'httpVersionMinor'>
  writeContinue(): void
  writeProcessing(): void
}
