import { expect, test, vi } from 'vitest'
import { type Host, write } from '../deploy.ts'

const USER = 'gate-own'
const HOME = '/var/lib/gate-backends/own'
const CRONTAB = `/var/spool/cron/crontabs/${USER}`

/** What code in the account of a backend tries, outside of its container. */
export function accountAttacks(host: () => Host): void {
  const sh = (script: string, ...args: readonly string[]) =>
    host()
      .asUser(USER)
      .exec(['sh', '-c', script, ...args])
  const userctl = (...args: string[]) => host().run(['systemctl', '--user', '-M', `${USER}@.host`, ...args])
  const engineAnswers = async () => {
    const curl = ['curl', '-sS', '--max-time', '20', '--retry', '20', '--retry-delay', '1', '--retry-all-errors']
    const socket = ['--unix-socket', '/run/gate/backends/own/engine.sock', 'http://x/health']
    return (await host().exec([...curl, ...socket], { user: 'gate', timeoutMs: 60_000 })).stdout
  }
  const planned = async (): Promise<string[]> => {
    const { stdout } = await host().exec(['gatectl', 'plan', '--json'], { timeoutMs: 60_000 })
    return JSON.parse(stdout).changes.map(
      ({ action, what, name }: Record<'action' | 'what' | 'name', string>) => `${action} ${what} ${name}`,
    )
  }

  const judged = async (): Promise<string[]> => {
    const { stdout } = await host().exec(['gatectl', 'doctor', '--only', 'planted', '--json'], { timeoutMs: 60_000 })
    return JSON.parse(stdout).findings.map(({ status }: { status: string }) => status)
  }

  test('writes nowhere in its home but where podman keeps images, volumes and its cache', async () => {
    const unitPath = (await userctl('show', '--property=UnitPath', '--value')).trim().split(' ')
    const inHome = unitPath.filter((path) => path.startsWith(HOME))
    expect(inHome).toContain(`${HOME}/.local/share/systemd/user`)
    const others = ['.config/environment.d', '.config/containers', '.config/autostart', '.local/share/dbus-1/services']
    const more = ['.local/share/user-tmpfiles.d', '.local/bin', '.local/state', '.ssh', '.docker', 'x']
    const directories = [...inHome, ...[...others, ...more].map((inner) => `${HOME}/${inner}`)]
    const dotfiles = ['.profile', '.pam_environment', '.forward', '.local/x', '.local/share/x']
    const written = await sh(`
      for d in ${directories.join(' ')}; do mkdir -p $d 2>/dev/null; touch $d/x 2>/dev/null && echo $d; done
      for f in ${dotfiles.join(' ')}; do touch ~/$f 2>/dev/null && echo $f; done; ls -A ~`)
    expect(written).toMatchObject({ stdout: '.cache\n.config\n.local\n' })
    expect(await sh('podman volume create mine && podman volume rm mine && touch ~/.cache/x')).toMatchObject({
      code: 0,
    })
  })

  test('fills the directories of its sockets, and nothing else of the /run of the host', async () => {
    const free = async () => Number(await host().run(['stat', '--file-system', '--format=%a', '/run']))
    const before = await free()
    for (const directory of ['/run/gate/shells/own', '/run/gate/backends/own']) {
      const bytes = await sh(`cd ${directory} && dd if=/dev/zero of=fill bs=64k count=256`)
      const files = await sh(`cd ${directory} && rm fill && for i in $(seq 1000); do : >fill$i || exit; done`)
      for (const { stderr } of [bytes, files]) expect(stderr).toMatch(/No space left on device|cannot create/)
      expect(before - (await free())).toBeLessThan(1024) // pages
      await sh(`rm ${directory}/fill*`)
    }
    const dial = ['curl', '-sS', '--max-time', '20', '--unix-socket', '/run/gate/shells/own/shell.sock', 'telnet://x']
    expect((await host().exec(dial, { input: 'bye\n' })).stdout).toContain('"code"')
    expect(await engineAnswers()).toContain('ok')
  })

  test('hides nothing in its manager: units and drop-ins whose files are gone, variables, what generators wrote', async () => {
    const runtime = `/run/user/${(await host().run(['id', '-u', USER])).trim()}`
    const planting = `
      systemd-run --user --quiet --unit=mine --property='BindPaths=/tmp:/mnt' sleep 1000
      mkdir -p ${runtime}/systemd/user.control/gate-agent.socket.d ${runtime}/systemd/user
      printf '[Socket]\nTriggerLimitBurst=1\n' > ${runtime}/systemd/user.control/gate-agent.socket.d/x.conf
      printf '[Service]\nExecStart=/bin/sleep 1000\n' > ${runtime}/systemd/user/gone.service
      systemctl --user daemon-reload
      systemctl --user start gone.service
      rm -r ${runtime}/systemd/user.control ${runtime}/systemd/user
      printf '[Service]\nExecStartPre=/bin/sleep 1\n' >> ${runtime}/systemd/generator/gate-own.service
      systemctl --user set-environment LD_PRELOAD=/tmp/x.so`
    expect(await sh(planting)).toMatchObject({ code: 0 })
    expect((await planned()).filter((line) => line.startsWith('remove')).toSorted()).toEqual([
      `remove file ${runtime}/systemd/generator/gate-own.service`,
      'remove unit gate-agent.socket',
      'remove unit gone.service',
      'remove unit mine.service',
      'remove variable LD_PRELOAD',
    ])
    expect(new Set(await judged())).toEqual(new Set(['fail']))
  })

  test('leaves nothing that an apply does not name and remove: in its home, below /run/user, in crontabs, in a session of its own', async () => {
    const runtime = `/run/user/${(await host().run(['id', '-u', USER])).trim()}`
    const units = [`${HOME}/.local/share/systemd/user`, `${runtime}/systemd/transient`, `${runtime}/systemd/user`]
    const dropIns = [...units, `${runtime}/systemd/user.control`].map((dir, i) => `${dir}/gate-own.service.d/${i}.conf`)
    const quadlet = `${runtime}/containers/systemd/evil.container`
    await host().run(['chown', `${USER}:`, `${HOME}/.local`, `${HOME}/.local/share`]) // as the version before had them
    await host().run(['install', '-d', '-m', '1730', '/var/spool/cron/crontabs'])
    write(host(), CRONTAB, '* * * * * id\n', 0o600) // as crontab(1) writes it for any account
    const planting = `
      for file in ${[...dropIns, quadlet].join(' ')}; do mkdir -p $(dirname $file); printf '%s' "$0" > $file; done
      ln -s /etc ${HOME}/.local/share/dbus-1
      setsid --fork sleep 1000 </dev/null >/dev/null 2>&1
      systemctl --user daemon-reload`
    // what would run with the next start, by the agent, an apply or a boot
    expect(await sh(planting, `[Service]\nExecStartPost=/bin/sh -c 'id >> ${runtime}/ran'\n`)).toMatchObject({
      code: 0,
    })
    const used = async () => (await userctl('show', 'gate-own.service', '--property=DropInPaths', '--value')).trim()
    expect((await used()).split(' ').toSorted()).toEqual(dropIns.toSorted())
    expect(new Set(await judged())).toEqual(new Set(['fail']))
    const found = await planned()
    const isNamed = (path: string) => found.some((line) => `remove file ${path}/`.startsWith(`${line}/`))
    for (const path of [...dropIns, quadlet, `${HOME}/.local/share/dbus-1`, CRONTAB])
      expect(isNamed(path), path).toBe(true)
    await host().run(['gatectl', 'apply', '--yes'], { timeoutMs: 120_000 })
    expect(await used()).toBe('')
    expect(await userctl('show-environment')).not.toContain('LD_PRELOAD')
    expect(await userctl('list-units', '--all', '--plain', '--no-legend')).not.toMatch(/mine|gone/)
    expect(await planned()).toEqual([])
    expect(await judged()).toEqual(['ok'])
    expect(await engineAnswers()).toContain('ok')
    expect(await host().exec(['test', '-e', `${runtime}/ran`])).toMatchObject({ code: 1 })
    expect(await host().exec(['pgrep', '--uid', USER, '--full', 'sleep 1000'])).toMatchObject({ code: 1 })
    expect(await host().run(['ls', '-A', `${HOME}/.local/share`])).toBe('containers\n')
    expect(await sh(`ls ${HOME}/.moved-aside`)).toMatchObject({ code: 2 })
  })

  test('cannot give orders to its agent, nor by a link in its place lead them to that of another backend', async () => {
    /** What is not JSON ends the connection. */
    const say = (socket: string, user: string, ...requests: readonly object[]) => {
      const curl = ['curl', '-sS', '--max-time', '20', '--unix-socket', socket, 'telnet://x']
      return host().exec(curl, { user, input: `${requests.map((one) => JSON.stringify(one)).join('\n')}\nbye\n` })
    }
    const own = '/run/gate/backends/own/agent.sock'
    const other = '/run/gate/backends/other/agent.sock'
    const stop = { op: 'stop', unit: 'gate-own.service' }
    expect((await say(own, USER, stop)).stdout).toContain('"code":"PEER_REFUSED"')
    expect(await say(other, USER, stop)).toMatchObject({ code: 7, stdout: '' })
    await sh(`mv ${own} ${own}.kept && ln -s ${other} ${own}`)
    // as the daemon says it when an admin stops the backend "own"
    const meant = { op: 'stop', unit: 'gate-other.service', backend: 'own' }
    expect((await say(own, 'gate', meant)).stdout).toContain('"code":"NOT_ALLOWED"')
    await sh(`mv ${own}.kept ${own}`)
    const units = ['gate-other.service', 'dbus.service', 'user@0.service']
    const stops = units.map((unit) => ({ op: 'stop', unit }))
    const answered = (await say(own, 'gate', ...stops, { op: 'status', backend: 'own' })).stdout
    expect(answered.match(/"code":"NOT_ALLOWED"/g)).toHaveLength(units.length)
    expect(answered).toContain('"type":"done"')
    expect(await engineAnswers()).toContain('ok')
  })

  test('leads the daemon to no engine and no agent but its own by links in its directory', async () => {
    const [own, other] = ['/run/gate/backends/own', '/run/gate/backends/other']
    const key = (await host().run(['gatectl', 'token', 'create', '--name', 'linked'])).trim()
    const ask = async () => {
      const body = JSON.stringify({ model: 'own/own.gguf', messages: [{ role: 'user', content: 'x' }] })
      const curl = ['curl', '-sS', '--max-time', '60', '--oauth2-bearer', key, '--json', body]
      const url = 'http://127.0.0.1:3000/v1/chat/completions'
      return (await host().exec([...curl, url], { timeoutMs: 90_000 })).stdout
    }
    const backend = async (verb: string) => {
      const { stdout, stderr } = await host().exec(['gatectl', 'backend', verb, 'own'], { timeoutMs: 60_000 })
      return stdout + stderr
    }
    const isAnswered = async () => (await ask()).includes('"finish_reason"')
    expect(await isAnswered()).toBe(true)
    const sockets = ['engine.sock', 'agent.sock']
    for (const name of sockets) await sh(`cd ${own} && mv ${name} kept-${name} && ln -s ${other}/${name} ${name}`)
    // a program of the gateway's account that follows the link is let in by the other engine
    const follow = ['curl', '-sS', '--max-time', '60', '--unix-socket', `${own}/engine.sock`, 'http://x/health']
    expect(await host().run(follow, { user: 'gate', timeoutMs: 90_000 })).toContain('ok')
    // a connection that was kept is still to its own engine, for a second
    await vi.waitUntil(async () => !(await isAnswered()), { timeout: 60_000, interval: 2_000 })
    expect(await backend('stop')).toContain('link of another account')
    for (const name of sockets) await sh(`cd ${own} && mv kept-${name} ${name}`)
    expect(await backend('start')).toContain('own: ready')
    await vi.waitUntil(isAnswered, { timeout: 60_000 })
    await host().run(['gatectl', 'token', 'revoke', 'linked'])
  })
}

/** Tried last: it takes the deployment away. */
export function lastAccountAttacks(host: () => Host): void {
  test('neither stops an uninstall by processes of its own nor leaves anything to a later account', async () => {
    const uid = (await host().run(['id', '-u', USER])).trim()
    const [, firstSubuid = ''] = /^gate-own:(\d+):/m.exec(await host().run(['cat', '/etc/subuid'])) ?? []
    const given = Object.keys(JSON.parse(await host().run(['cat', '/etc/gate/gate.lock.json'])).users).length
    await host().run(['install', '-d', '-m', '1730', '/var/spool/cron/crontabs', '/var/spool/cron/atjobs'])
    const outside = [CRONTAB, '/var/spool/cron/atjobs/a1', `/var/mail/${USER}`]
    for (const place of outside) write(host(), place, 'x\n', 0o600)
    await host().run(['chown', USER, ...outside])
    const plant = `mkdir -p /tmp/left/inner; echo x > /dev/shm/left; cp /bin/true /var/tmp/left; chmod 4755 /var/tmp/left
      ipcmk --shmem 100; ipcmk --queue; ipcmk --semaphore 1
      podman unshare sh -c 'echo x > /tmp/subuid && chown 5:5 /tmp/subuid && chmod 700 /tmp/subuid'
      setsid --fork sh -c 'trap "" TERM HUP; while :; do sleep 0.1 & sleep 0.1; done' </dev/null >/dev/null 2>&1
      setsid --fork podman unshare setpriv --reuid=5 --regid=5 --clear-groups sleep 1000 </dev/null >/dev/null 2>&1`
    await host().asUser(USER).run(['sh', '-c', plant])
    await host().run(['gatectl', 'uninstall', '--purge', '--yes'], { timeoutMs: 120_000 })
    expect(await host().exec(['id', USER])).toMatchObject({ code: 1 })
    const owned = ['(', '-uid', uid, '-o', '-uid', `+${Number(firstSubuid) - 1}`, ')']
    expect(await host().run(['find', '/', '/dev/shm', '/run', '/tmp', '-xdev', ...owned])).toBe('')
    const ids = (await host().run(['ps', '-eo', 'uid='])).trim().split(/\s+/).map(Number)
    expect(ids.filter((id) => id === Number(uid) || id >= Number(firstSubuid))).toEqual([])
    const objects = await host().run(['cat', '/proc/sysvipc/shm', '/proc/sysvipc/msg', '/proc/sysvipc/sem'])
    expect(objects).not.toMatch(new RegExp(` ${uid} `))
    for (const place of [...outside, '/var/lib/gate-backends'])
      expect(await host().exec(['test', '-e', place])).toMatchObject({ code: 1 })
    await host().run(['gatectl', 'compile', '/etc/gate/gate.toml', '--target', 'systemd', '--out', '/run/again'])
    const { users, retired } = JSON.parse(await host().run(['cat', '/etc/gate/gate.lock.json']))
    expect(retired).toHaveLength(given)
    const old = new Set(retired.map((one: { uid: number }) => one.uid))
    expect(Object.values<{ uid: number }>(users).filter((one) => old.has(one.uid))).toEqual([])
  })
}
