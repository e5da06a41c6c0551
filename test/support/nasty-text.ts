import fc from 'fast-check'

const SIGNS = '%,$,{,},",\',\\,;,],[,#,\n,\r,\0, ,\t,a,b,é,😀,\u0085,`,~,(,),/,*,=,:,|,&,<,>,!,?,@'.split(',')

/** Texts that break out of whatever is not escaped. */
export const nastyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: fc.constantFrom(...SIGNS, ','), maxLength: 12 }),
  fc.constantFrom(
    '"; return 500; #',
    "'; exit; '",
    '{$HOME}',
    '{env.HOME}',
    '$(id)',
    '`id`',
    '\\',
    '\\"',
    '"',
    '}\n{',
    "''",
    `''\${x}`,
    `\${HOME}`,
    '$$',
    '%i',
    '%%n',
    '[Service]',
    'a\\',
    '-',
    ']]>',
    'é\u{1f600}]',
  ),
)
