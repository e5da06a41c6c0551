import { DIALECTS } from '../daemon/translate/dialects.ts'
import type { FeatureRow, Rule } from '../daemon/translate/features.ts'
import { FEATURES, type Feature } from '../daemon/translate/neutral.ts'
import { preferredOf } from '../daemon/translate/spoken.ts'
import type { ChatQuirks, CountRoute, KeyForm, ProviderRow } from '../schemas/words/provider-row.ts'
import { PROVIDERS, providerRow } from '../schemas/words/providers.ts'

const DID: Readonly<Record<Rule['does'], string>> = {
  native: 'passed on',
  emulate: 'emulated',
  drop: 'dropped',
  refuse: 'refused',
}

/** docs/dialects.md: what becomes of each feature where a request is translated. */
export function dialectReference(): string {
  const dialects = DIALECTS.all.filter(
    ({ name, neutral }, index) => neutral !== undefined && DIALECTS.all.findIndex((one) => one.name === name) === index,
  )
  const columns = dialects.map(({ name, neutral }) => ({ name, row: neutral?.features(usualProvider(name)) }))
  const head = ['feature', ...columns.map(({ name }) => `at an upstream of \`${name}\``)]
  const rows = FEATURES.map((feature) => [feature, ...columns.map(({ row }) => cell(row?.[feature]))])
  return `# Dialects

Generated from \`daemon/translate/\` by \`npm run generate\`.

Clients of each of these dialects can use the upstreams of all of them:

${dialects
  .map(({ name }) => ({ name, endpoints: DIALECTS.all.flatMap((one) => (one.name === name ? one.endpoints : [])) }))
  .map(
    ({ name, endpoints }) =>
      `- \`${name}\`: ${endpoints.map(({ method, path, withQuery }) => `\`${method} ${path}${withQuery === undefined ? '' : `?${withQuery}`}\``).join(', ')}`,
  )
  .join('\n')}

Where client and upstream speak the same dialect, bytes pass: only the model and the credential change, and what another provider thought earlier in the conversation is left out where it would be refused. Else the request is translated, and its answer
translated back, event by event.

What an upstream cannot express is never changed silently:

- **dropped**: it is left out, and the answer has a header that names the field: \`x-gate-dropped: top_k, thinking\`. Fields that no other dialect has are dropped, too, however deep they are:
  \`messages.name, tools.defer_loading\`. Empty lists and objects, null, and what says only what is done anyway (\`"detail": "auto"\`) are not named.
- **emulated**: it is said in another way.
- **refused**: the answer is a 400 that names the field.

What is asked for beyond what a model has is fitted, where that is known, and this is not named: the limit of an answer is lowered to what the model can say, and at an engine to what its context has left; an effort or a budget becomes the nearest that it has.

A request that does not follow the client's own dialect is refused as well where it is translated, with every place where it does not (eight at most): values of a wrong type, parts, roles and
items of an unknown kind, tools without a name, images without an address. \`messages[2].content[0].text: must be a string; tools[0].function.name: is required\`. What each dialect may say is a
table (\`daemon/translate/*/shape.ts\`), which takes all that the official SDKs' types allow; unknown tools are taken for tools that a provider runs, and dropped.

${table(head, rows)}

## Providers

What is known of each kind of upstream (\`schemas/words/providers.ts\`). **native**: bytes pass; **repair**: see below; every other dialect is translated.
\`upstreams.NAME.dialects\` says otherwise for one upstream, such as \`{ anthropic = "repair" }\`; \`gatectl upstream list\` shows what holds, where it comes from, and what
was found wrong.

${providers()}

Other dialects that they have. \`upstreams.NAME.dialects\` lets Gate speak one at the same URL, such as \`{ anthropic = "native" }\`:

${others()}

## Engines

Which dialects an engine speaks besides chat completions, and how well, depends on its version: Gate asks it, when it first answers, when it was started anew, and once a day. An
empty request shows whether there is such a route; four tokens of text show what a stream lacks that official clients need; only where that lacks nothing, a call of one tool is
asked for (64 tokens at most). A backend that sleeps is not started for it. vLLM, SGLang and a llama.cpp with one model are asked; Ollama, LM Studio and a llama.cpp that serves
several models would load one, and are spoken to in chat completions. A dialect that \`dialects\` names is not asked for. A probe that fails changes nothing.

**repair** is for what an engine takes, but answers oddly: events without their index, blocks that begin inside another, calls without their end. A plain request is written anew in
the same dialect, and so is the answer; an answer that met its limit says so, although the engine calls it complete. Plain are text, tools that the model may call or not, images,
thinking and sampling. Engines pass over much of the rest without a word (llama.cpp 0.7.0: schemas of answers, forced and forbidden calls, tools that
take a text, documents), so any other request is translated to what the engine speaks natively, where nothing is lost silently.

\`count_tokens\`, \`input_tokens\` and \`countTokens\` are exact where the upstream counts (above): the request is made as if it were to be answered, and the upstream counts it. A backend that sleeps is
not started for it; there, where there is no such route, and where it does not answer within 10 seconds, the text, the tools and the turns are cut as today's tokenizers cut them (within 10 % on the
conversations of \`test/corpus\`), and media are estimated.

## Where providers differ

${differences()}

## Answers

- An answer that calls tools ends as calls do (\`tool_use\`, \`tool_calls\`), whatever the upstream says: agents go on only then.
- Parts that an upstream sends side by side follow each other.
- Tools whose names the upstream does not take (more than 64 characters, 128 of Anthropic; other characters than letters, digits, \`_\` and \`-\`; a digit first, at Google) have others there, the
  same in every turn; the client sees its own.
- Arguments of tools are looked at where an answer is translated or repaired, and bytes do not pass: \`upstreams.NAME.tool_arguments\`. What is nearly JSON (fences, single quotes, commas too
  many, words of Python, line breaks in strings, brackets missing at the end, the same twice) and values of the wrong type that can only mean one thing (\`"5"\` for a number) are repaired;
  \`check\` answers what still does not fit the tool's schema with an error that names the tool and the place, \`repair\` lets it pass as long as it is an object. A stream shows
  such a call when it is complete. With \`pass\`, as for ${soundProviders()}, arguments come in pieces as they are sent, and only a whole answer with arguments
  that are no object is an error.
- A call that the limit has cut is left out, unless some of it was shown.
- JSON that an upstream could only be asked for in words (**emulated** above) is repaired in the same way, or an error.
- What a text rests on (pages that were found) is told in the client's words, streamed or not: \`annotations\` in both of OpenAI's APIs, \`citations\` at Anthropic, \`groundingMetadata\` at Google, from whatever upstream
  says so, Perplexity's \`search_results\` among them. Ollama has no form for it: the text stays.
- Why a model refused is told as a refusal, where its provider says so in words. An answer that ended because something broke at the upstream (\`error\`, \`abort\`, \`insufficient_system_resource\`) is an error.
- Thinking is shown to clients of \`anthropic\` that asked for it, as blocks of their own; clients of \`openai-chat\` get it as \`reasoning_content\`;
  clients of \`google\` that set \`includeThoughts\` get it as parts with \`thought\`.
- What a provider has signed of its thinking comes back to it: in \`signature\` of a thinking block, in \`thoughtSignature\` of the call after it (all of it, since clients of
  Google leave thoughts out of the next turn), in \`extra_content.google.thought_signature\` of a call in chat completions,
  in \`thought_signature\` of a call at Ollama (for clients that send messages back as they came). OpenRouter's \`reasoning_details\` are such a signature. No other provider is sent it.
- Clients of \`google\` may write keys in snake_case, name the model with or without \`models/\` in front, and read a stream as events (\`alt=sse\`) or as a JSON list.
- Clients of \`ollama\` get a stream unless they say otherwise. Their calls and results need no ids: results find their calls by name, and in order. \`keep_alive\` and the options of an
  engine (\`num_ctx\` …) are dropped; what a model is started with is set in the configuration. \`POST /api/generate\` completes a prompt, \`/api/ps\` shows nothing. A request
  without a prompt or messages, by which clients have a model loaded or unloaded, is answered at once: models are started when they are asked something. \`llama3\` and \`llama3:latest\` are the same model, for every client.
- A stream that breaks off ends with an error in the client's dialect, never as if it were complete. With \`models.NAME.failover = "mid-stream"\` a text that breaks off goes on at the next target
  that can go on with what was said, as ${continuing()} can: the client sees one stream, its usage is the sum, and the usage log has a row for each attempt.
  It never goes on inside or after a call of a tool, signed thinking, log probabilities, or with several answers; then the error is as without it.
- Usage that an upstream does not report is counted, as in the usage log.
- The first line of Claude Code's instructions (\`x-anthropic-billing-header: …\`) goes to Anthropic alone: it changes from version to version, and a prompt cache ends there.
`
}

/** The provider after which a dialect is named: its own rules, without exceptions. */
function usualProvider(dialect: string): string {
  return PROVIDERS.find((provider) => dialect === provider || dialect.startsWith(`${provider}-`)) ?? ''
}

function cell(row: FeatureRow | undefined): string {
  if (row === undefined) return ''
  const { does, how, field } = row
  const did = does === 'native' || does === 'emulate' ? `${DID[does]} in \`${field}\`` : DID[does]
  return how === undefined ? did : `${did}: ${how}`
}

function providers(): string {
  const rows = PROVIDERS.filter((name) => name !== 'echo').map((name) => {
    const { baseUrl, example, key, dialects, chat, counts, sources } = providerRow(name)
    return [
      `\`${name}\``,
      baseUrl === null ? `such as \`${example}\`` : `\`${baseUrl}\``,
      KEYS[key],
      graded(dialects),
      'openai-chat' in dialects ? oddities(chat) : '',
      counted(counts),
      sources.map((url, index) => `[${index + 1}](${url})`).join(' '),
    ]
  })
  const head = ['provider', 'base_url', 'key', 'dialects', 'in chat completions', 'tokens are counted', 'looked up']
  return table(head, rows)
}

function others(): string {
  const rows = PROVIDERS.flatMap((name) => {
    const { others: has = {}, elsewhere } = providerRow(name)
    return [
      ...Object.entries(has).map(([dialect, why]) => [`\`${name}\``, `\`${dialect}\``, why]),
      ...(elsewhere === undefined
        ? []
        : [[`\`${name}\``, graded(elsewhere.dialects), `with a \`base_url\` such as \`${elsewhere.example}\``]]),
    ]
  })
  return table(['provider', 'dialect', 'there'], rows)
}

const graded = (dialects: ProviderRow['dialects']): string =>
  Object.entries(dialects)
    .map(([dialect, grade]) => `\`${dialect}\` ${grade}`)
    .join(', ')

function counted(counts: ProviderRow['counts']): string {
  if (counts === undefined) return 'about'
  if (counts === 'as spoken') return 'in every dialect that it speaks'
  if (counts === 'where native') return 'where bytes pass'
  const { dialect, path }: CountRoute = counts
  return `\`${path.replace('/..', '')}\`, in \`${dialect}\``
}

const KEYS: Readonly<Record<KeyForm, string>> = {
  bearer: '`Authorization: Bearer`',
  'x-api-key': '`x-api-key`',
  'api-key': '`api-key`',
  aws: '`Authorization: Bearer`',
  dialect: 'as the dialect has it',
}

function oddities({
  usage,
  limit,
  thinking,
  missingThought,
  hasTopK,
  seed,
  lacksInMessages,
  takes,
}: ChatQuirks): string {
  return [
    `\`${limit}\``,
    ...(seed === 'seed' ? [] : [`\`${seed}\``]),
    ...(thinking === null ? [] : [`thinking in \`${thinking}\``]),
    ...(missingThought === undefined ? [] : ['a stand-in for thinking that is not known']),
    ...(hasTopK ? ['`top_k`'] : []),
    ...(usage === 'refused' ? ['usage comes unasked'] : []),
    ...(takes === undefined ? [] : ['unknown fields are left out, as it refuses them']),
    ...(lacksInMessages.length === 0
      ? []
      : [`in messages no ${lacksInMessages.map((one) => `\`${one}\``).join(', ')}`]),
  ].join(', ')
}

const soundProviders = () => listed(PROVIDERS.filter((name) => providerRow(name).hasSoundCalls === true))
const continuing = () => listed(PROVIDERS.filter((name) => providerRow(name).continues !== undefined))

function listed(providers: readonly string[]): string {
  const names = providers.map((name) => `\`${name}\``)
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

function differences(): string {
  const rows = PROVIDERS.flatMap((provider) => {
    const dialect = preferredOf(DIALECTS.all, DIALECTS.gradesOf(provider))
    const features = dialect.neutral?.features(provider)
    const usual = dialect.neutral?.features(usualProvider(dialect.name))
    if (features === undefined || usual === undefined) return []
    return FEATURES.filter((feature: Feature) => features[feature].does !== usual[feature].does).map((feature) => [
      `\`${provider}\``,
      feature,
      cell(features[feature]),
    ])
  })
  return table(['provider', 'feature', 'there'], rows)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
