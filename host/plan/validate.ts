import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { temporaryFolder } from '../../system/own-path.ts'
import { namesServed, standIn, withStandIns } from '../ca/stand-in.ts'
import type { HostView } from '../host.ts'
import type { HostProblem } from '../problem.ts'
import type { Desired } from './desired.ts'
import { quadletProgram } from './generated.ts'

/** A file to be checked. */
type Candidate = { readonly path: string; readonly install: string; readonly text: string }

/** Lays candidates out below a scratch directory and runs the program that will read them. */
type Validator = (host: HostView, scratch: string, files: readonly Candidate[]) => Promise<HostProblem[]>

/**
 * Lets every program that will read the new files say what it thinks of them, each in a scratch directory. The host is
 * not touched. @returns everything that any of them refuses
 */
export async function validate(host: HostView, { generation, texts }: Desired): Promise<HostProblem[]> {
  const files = generation.files.flatMap(({ path, install }) =>
    install === undefined ? [] : [{ path, install, text: texts.get(path) ?? '' }],
  )
  const scratch = mkdtempSync(join(temporaryFolder(), 'gatectl-plan-'))
  try {
    const found = await Promise.all(
      VALIDATORS.map(async ({ applies, check }, i) => {
        const own = files.filter(({ path }) => applies.test(path))
        if (own.length === 0) return []
        const directory = join(scratch, String(i))
        mkdirSync(directory)
        return check(host, directory, own)
      }),
    )
    return found.flat()
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

const VALIDATORS: readonly { readonly applies: RegExp; readonly check: Validator }[] = [
  { applies: /^quadlet\/user(?:s|-units)\//, check: checkUserUnits },
  { applies: /^(?:systemd\/system|dnsmasq|nftables)\/.*\.(?:service|socket|timer|conf)$/, check: checkSystemUnits },
  { applies: /^nginx\//, check: checkNginx },
  { applies: /^caddy\//, check: checkCaddy },
  { applies: /^dnsmasq\/dnsmasq\.conf$/, check: checkDnsmasq },
  { applies: /^nftables\/.*\.nft$/, check: checkNftables },
]

/** podman's own generator makes services of the quadlets; systemd reads those and the plain units. */
async function checkUserUnits(host: HostView, scratch: string, files: readonly Candidate[]): Promise<HostProblem[]> {
  const [quadlets, units] = [join(scratch, 'quadlets'), join(scratch, 'units')]
  const place = ({ path }: Candidate) => path.replace(/^quadlet\/(?:users|user-units)\//, '')
  for (const file of files) {
    const below = file.path.startsWith('quadlet/users/') ? quadlets : join(units, place(file).split('/')[0] ?? '')
    const inner = file.path.startsWith('quadlet/users/') ? place(file) : place(file).replace(/^[^/]*\//, '')
    writeScratch(join(below, inner), file.text)
  }
  const generator = quadletProgram(host)
  if (generator === undefined)
    return [{ code: 'NO_PODMAN', message: 'podman has no quadlet generator', hint: 'apt install podman' }]
  const directories = host.list(quadlets).map((name) => join(quadlets, name))
  const ran = await host.ask(['env', `QUADLET_UNIT_DIRS=${directories.join(':')}`, generator, '-user', '-dryrun'])
  const complaints = ran.stderr.split('\n').filter((line) => /error|warn|converting|unsupported/i.test(line))
  if (ran.code !== 0 || complaints.length > 0)
    return [invalid('podman rejects the quadlets', complaints.length > 0 ? complaints : ran.stderr.split('\n'))]
  const services = ran.stdout.split(/^---(.+\.service)---$/m).slice(1)
  for (const [i, name] of services.entries())
    if (i % 2 === 0) writeScratch(join(units, 'made', name), services[i + 1] ?? '')
  const names = files.filter(({ path }) => /\/user-units\/\d+\/[^/]+$/.test(path)).map((file) => place(file))
  const search = [...host.list(units).map((name) => join(units, name)), ''].join(':')
  // an instance represents its template
  const wanted = names.map((name) => join(units, name.replace(/@\.(\w+)$/, '@gatectl.$1')))
  const verified = await host.ask([
    'env',
    `SYSTEMD_UNIT_PATH=${search}`,
    `XDG_RUNTIME_DIR=${scratch}`,
    'systemd-analyze',
    'verify',
    '--user',
    '--man=no',
    ...unique(wanted),
  ])
  return verified.code === 0 ? [] : [invalid('systemd rejects the units of users', verified.stderr.split('\n'))]
}

/** Units of many users have the same names and texts. */
function unique(paths: readonly string[]): string[] {
  return [...new Map(paths.map((path) => [basename(path), path])).values()]
}

async function checkSystemUnits(host: HostView, scratch: string, files: readonly Candidate[]): Promise<HostProblem[]> {
  const units = files.filter(({ install }) => install.startsWith('/etc/systemd/system/'))
  for (const { install, text } of units) writeScratch(join(scratch, install.slice('/etc/systemd/system/'.length)), text)
  const names = units.flatMap(({ install }) => {
    const name = install.slice('/etc/systemd/system/'.length)
    const [, instance] = /^([^/]+@[^/]+\.service)\.d\//.exec(name) ?? []
    if (instance !== undefined && !instance.startsWith('user@')) return [instance]
    return name.includes('/') || name.includes('@.') ? [] : [name]
  })
  const paths = [...new Set(names)].map((name) =>
    host.status(join(scratch, name)) === undefined ? name : join(scratch, name),
  )
  const ran = await host.ask([
    'env',
    `SYSTEMD_UNIT_PATH=${scratch}:`,
    'systemd-analyze',
    'verify',
    '--man=no',
    ...paths,
  ])
  return ran.code === 0 ? [] : [invalid('systemd rejects the units', ran.stderr.split('\n'))]
}

/** The host's own configuration with the new file in place of the old one. */
async function checkNginx(host: HostView, scratch: string, files: readonly Candidate[]): Promise<HostProblem[]> {
  const main = host.read('/etc/nginx/nginx.conf')
  if (main === undefined) return [notInstalled('nginx', 'proxy.engine')]
  const others = host.list('/etc/nginx/conf.d').filter((name) => name.endsWith('.conf'))
  for (const name of others) writeScratch(join(scratch, 'conf.d', name), host.read(`/etc/nginx/conf.d/${name}`) ?? '')
  await writeStandIns(scratch, files)
  for (const { install, text } of files)
    writeScratch(join(scratch, 'conf.d', basename(install)), withStandIns(text, scratch))
  const here = main
    .replaceAll('/etc/nginx/conf.d/', `${scratch}/conf.d/`)
    .replace(/^\s*pid\s[^;]*;/m, `pid ${scratch}/nginx.pid;`)
    .replace(/^(\s*include\s+)(?!\/)/gm, '$1/etc/nginx/')
  writeScratch(join(scratch, 'nginx.conf'), here)
  return runChecker(host, ['nginx', '-t', '-q', '-c', join(scratch, 'nginx.conf')], 'nginx', 'proxy.engine')
}

async function checkCaddy(host: HostView, scratch: string, files: readonly Candidate[]): Promise<HostProblem[]> {
  await writeStandIns(scratch, files)
  const file = writeScratch(join(scratch, 'Caddyfile'), withStandIns(files[0]?.text ?? '', scratch))
  return runChecker(host, ['caddy', 'validate', '--adapter', 'caddyfile', '--config', file], 'caddy', 'proxy.engine')
}

/** Both open the certificates that their files name. */
async function writeStandIns(scratch: string, files: readonly Candidate[]): Promise<void> {
  if (!files.some(({ text }) => namesServed(text))) return
  const { cert, key } = await standIn(Date.now())
  writeScratch(join(scratch, 'proxy.crt'), cert)
  writeScratch(join(scratch, 'proxy.key'), key)
}

async function checkDnsmasq(host: HostView, scratch: string, files: readonly Candidate[]): Promise<HostProblem[]> {
  const file = writeScratch(join(scratch, 'dnsmasq.conf'), files[0]?.text ?? '')
  return runChecker(host, ['dnsmasq', '--test', `--conf-file=${file}`], 'dnsmasq-base', 'dns.engine')
}

/** An account may be made by this very apply, and nft looks it up. */
async function checkNftables(host: HostView, scratch: string, files: readonly Candidate[]): Promise<HostProblem[]> {
  const texts = files.map(({ text }) => text.replace(/^( *meta skuid )"[^"]*"/gm, '$10'))
  const file = writeScratch(join(scratch, 'tables.nft'), texts.join(''))
  return runChecker(host, ['nft', '--check', '--file', file], 'nftables', 'gate.network.allow')
}

async function runChecker(
  host: HostView,
  command: readonly string[],
  debianPackage: string,
  key: string,
): Promise<HostProblem[]> {
  const { code, stderr, stdout } = await host.ask(command)
  if (code === 0) return []
  if (code === 127) return [notInstalled(debianPackage, key)]
  return [invalid(`${command[0]} rejects its file`, `${stderr}${stdout}`.split('\n'))]
}

function notInstalled(debianPackage: string, key: string): HostProblem {
  const message = `${debianPackage} is not installed, and ${key} asks for it`
  return { code: 'NO_PROGRAM', message, hint: `apt install ${debianPackage}, or change ${key}` }
}

function invalid(message: string, lines: readonly string[]): HostProblem {
  const said = lines.filter((line) => line.trim() !== '').slice(0, 20)
  return {
    code: 'INVALID_FILE',
    message,
    hint: 'this is a bug in the compiler, or a mistake in a text of the spec',
    lines: said,
  }
}

function writeScratch(file: string, text: string): string {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}
