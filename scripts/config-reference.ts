import { type KeyNode, type Leaf, leaves, optionsOf } from '../schemas/config/keys.ts'
import { environmentName } from '../schemas/words/key-names.ts'

/** In place of a name that people give. */
const PLACEHOLDER = 'XXNAMEXX'

/** The page that lists every key, for docs/; generated, so that it cannot say anything else than the schema. */
export function configReference(tree: KeyNode): string {
  const rows = [...leaves(tree)].map(([path, leaf]) => {
    const key = path.join('.').replaceAll('*', '<name>')
    const variable = environmentName(path.map((step) => (step === '*' ? PLACEHOLDER : step))).replace(
      PLACEHOLDER,
      '<NAME>',
    )
    const notes = [leaf.meta.restart ? 'restart' : '', leaf.meta.secret ? 'secret' : ''].filter((note) => note !== '')
    const cells = [code(key), code(variable), kind(leaf), shownDefault(leaf), notes.join(', '), leaf.meta.description]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  return `${HEAD}\n${rows.join('\n')}\n`
}

const HEAD = `# Configuration reference

Generated from the schema by \`npm run generate\`; edit \`schemas/config/config.ts\` instead.
[configuration.md](configuration.md) explains how the layers work.

- **restart**: a change waits for the next start of the daemon; every other key takes effect at once.
- **secret**: never shown again, and refused in the declared layer.
- \`<name>\` is a name that you choose, of lower-case letters and digits with single \`-\` or \`_\` between. In the environment it is
  written in upper case with \`_\` for \`-\`.

| key | environment | type | default | | |
|---|---|---|---|---|---|`

function kind(leaf: Leaf): string {
  const options = optionsOf(leaf).map(code).join(' ')
  if (leaf.holds === 'words') return `${options}, or a list`
  return options || leaf.holds
}

function shownDefault({ fallback }: Leaf): string {
  return fallback === undefined ? '' : code(JSON.stringify(fallback))
}

function code(text: string): string {
  return `\`${text}\``
}
