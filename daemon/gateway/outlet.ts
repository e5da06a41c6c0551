/** Where an answer goes: a client's connection, or a recording that clients follow. */
export type Outlet = {
  readonly writableFinished: boolean
  readonly writableNeedDrain: boolean
  readonly writableLength: number
  writeHead(status: number, headers: string[]): unknown
  flushHeaders(): void
  write(chunk: Buffer | string): boolean
  end(): unknown
  end(rest: Buffer): unknown
  end(rest: string, encoding: 'latin1'): unknown
  destroy(): unknown
  once(event: 'drain' | 'close', listener: () => void): unknown
  off(event: 'drain' | 'close', listener: () => void): unknown
}
