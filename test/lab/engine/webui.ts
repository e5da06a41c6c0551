// Stands in for Open WebUI: writes where it writes at its start, and fails as it does when it cannot. Node runs it, in
// its image only.
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'

const { env } = process
const data = env['DATA_DIR'] ?? '/app/backend/data'
const database = `${data}/webui.db`
const version = env['WEBUI_BUILD_VERSION']

// config.py: folders of data, and the static files of the image where STATIC_DIR says
for (const folder of ['uploads', 'cache', 'vector_db']) mkdirSync(`${data}/${folder}`, { recursive: true })
const own = '/app/backend/open_webui/static'
const shown = env['STATIC_DIR'] ?? own
mkdirSync(shown, { recursive: true })
if (shown !== own) cpSync(own, shown, { recursive: true })
// libraries keep caches in the home directory
mkdirSync(`${env['HOME']}/.cache/huggingface`, { recursive: true })
writeFileSync(`${env['HOME']}/.cache/huggingface/version`, '1')
// each version migrates the database of the one before
const before = existsSync(database) ? readFileSync(database, 'utf8') : ''
if (!before.includes(`migrated ${version}\n`)) appendFileSync(database, `migrated ${version}\n`)

createServer((request, response) => {
  const send = (body: unknown) => response.end(JSON.stringify(body))
  if (request.method === 'POST') appendFileSync(database, `user ${request.url}\n`)
  if (request.url === '/health') send({ status: true })
  else if (request.url === '/models') {
    // what it offers comes from the gateway
    const headers = { authorization: `Bearer ${env['OPENAI_API_KEY']}` }
    fetch(`${env['OPENAI_API_BASE_URL']}/models`, { headers }).then(
      async (answer) => response.end(await answer.text()),
      (error: Error) => send({ error: String(error.cause ?? error) }),
    )
  } else
    send({
      version,
      database: readFileSync(database, 'utf8'),
      // never the key itself
      key: env['WEBUI_SECRET_KEY'] !== '',
      uid: process.getuid?.(),
    })
}).listen(Number(env['PORT']), '0.0.0.0')
process.on('SIGTERM', () => process.exit(0))
