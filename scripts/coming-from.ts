import { LEDGER, OWED, type Row, SEEDS } from '../test/seeds/ledger.ts'

/** docs/coming-from.md: for people who know another system, a table for each. */
export function comingFrom(): string {
  const parts = Object.entries(SEEDS).map(([seed, name]) => {
    const rows = LEDGER.filter((row) => row.seed === seed)
    return `## ${name}\n\n| there | here | today |\n| --- | --- | --- |\n${rows.map(line).join('\n')}\n`
  })
  return `# Coming from another system

Generated from \`test/seeds/ledger.ts\` by \`npm run generate\`. What each system's own documents show, what it is in Gate, and whether it works today. A row that
says *works* names the test that shows it.

${parts.join('\n')}`
}

function line(row: Row): string {
  return `| ${cell(row.shown)} | ${cell(row.gate)} | ${today(row)} |`
}

function today(row: Row): string {
  if ('proof' in row) return `works (\`${row.proof[0].replace(/^test\//, '')}\`)`
  return 'owed' in row ? `not yet: ${OWED[row.owed]}` : `no: ${cell(row.declined)}`
}

/** A cell of a table ends at a bar. */
const cell = (text: string): string => text.replaceAll('|', '\\|')
