/** What a person types to run gatectl: from the sources no program of that name is on the PATH. */
export function gatectlName(file: string = import.meta.filename): string {
  return file.endsWith('.ts') ? 'npm run -s gatectl --' : 'gatectl'
}
