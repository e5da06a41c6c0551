/** Whether a Content-Type names a media type, whatever its case and parameters. */
export function isOfType(contentType: string | string[] | undefined, mediaType: string): boolean {
  if (typeof contentType !== 'string' || contentType.length < mediaType.length) return false
  const end = contentType.charCodeAt(mediaType.length)
  const ends = Number.isNaN(end) || end === 0x3b || end === 0x20 || end === 0x09
  return (
    ends && (contentType.startsWith(mediaType) || contentType.slice(0, mediaType.length).toLowerCase() === mediaType)
  )
}
