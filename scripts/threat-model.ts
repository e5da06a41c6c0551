import { ATTACKERS, type Attacker, isHeld, POWERS, type Power } from './powers.ts'

const attackers = Object.keys(ATTACKERS) as Attacker[]

/** docs/threat-model.md */
export function threatModel(): string {
  return `# Threat model

Generated from \`scripts/powers.ts\` by \`npm run generate\`.

Who may do what on a host that Gate is deployed to, and what each account may never do. Tests attack as each account:
\`npx vitest run --project lab test/lab/attackers\`, one file per attacker; where the attacker is the daemon, from inside
the sandbox of its unit.

## Who

| account | is |
| --- | --- |
${attackers.map((name) => `| ${label(name)} | ${ATTACKERS[name]} |`).join('\n')}

Out of scope: root, and programs that can read the memory of the daemon. A provider sees the prompts that it is sent.

## What holds

${attackers.map(held).join('\n\n')}
${open()}`
}

function held(name: Attacker): string {
  const rows = POWERS.filter((power) => power.attacker === name)
    .filter(isHeld)
    .map(({ never, by }) => `| ${never} | ${by} |`)
  return [`### ${label(name)}: ${ATTACKERS[name]}`, '', '| may never | by |', '| --- | --- |', ...rows].join('\n')
}

function open(): string {
  const rows = POWERS.flatMap((power) =>
    isHeld(power) ? [] : [`- ${label(power.attacker)}: ${power.open}. To hold: it may never ${power.never}.`],
  )
  return rows.length === 0 ? '' : `\n## What does not hold yet\n\n${rows.join('\n')}\n`
}

/** For SECURITY.md and docs/architecture.md: what each may never do, one line for each attacker. */
export function powersTable(): string {
  const line = (power: Power) => (isHeld(power) ? power.never : `${power.never} (does not hold yet)`)
  const rows = attackers.map((name) => {
    const nevers = POWERS.filter((power) => power.attacker === name).map(line)
    return `| ${label(name)} | ${ATTACKERS[name]} | ${nevers.join('; ')} |`
  })
  return ['| account | is | may never |', '| --- | --- | --- |', ...rows].join('\n')
}

const label = (name: Attacker) => (name === 'gate' ? '`gate`' : name)

const [BEGIN, END] = ['<!-- made from scripts/powers.ts by "npm run generate" -->', '<!-- end -->']

/** Puts the table into a page, between its two marks. @throws Error when they are not there */
export function withPowersTable(page: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (from === -1 || to < from) throw new Error(`the page has no ${BEGIN} … ${END}`)
  return `${page.slice(0, from)}${BEGIN}\n\n${powersTable()}\n\n${page.slice(to)}`
}
