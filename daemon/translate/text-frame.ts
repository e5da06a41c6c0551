/**
 * Writes frames that differ in their text alone, without writing the rest of each anew.
 * @param frame one of them, in which the last empty text of JSON stands for the text
 */
export function textFrame(frame: string): (text: string) => string {
  const at = frame.lastIndexOf('""')
  const before = frame.slice(0, at)
  const after = frame.slice(at + 2)
  return (text) => before + JSON.stringify(text) + after
}
