import { ListScanner } from './list-scanner.ts'
import { ContentStreamWatch } from './stream.ts'

const NOTHING = Buffer.alloc(0)
const CLOSE = Buffer.from(']\n')

/** The same of a list, which clients can read only when it is closed. */
export class ListStreamWatch extends ContentStreamWatch {
  /** @param asked how many candidates */
  constructor(asked?: number) {
    super((onPart) => new ListScanner(onPart), asked)
  }

  override feed(chunk: Buffer): Buffer {
    const shown = super.feed(chunk)
    return this.failure() === null ? shown : Buffer.concat([shown, CLOSE])
  }
  override rest(): Buffer {
    return this.hasClosed() && !this.isCut() ? NOTHING : CLOSE
  }
}
