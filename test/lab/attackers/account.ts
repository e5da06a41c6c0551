import { expect, test } from 'vitest'
import { type Host, write } from '../deploy.ts'

const USER = 'gate-own'
const HOME = '/var/lib/gate-backends/own'
const RUNTIME = '/run/user/40000'
/** What a drop-in of the account would do: the agent, apply and a boot start this unit. */
const DROP_IN = `[Service]\nExecStartPost=/bin/sh -c 'id >> ${RUNTIME}/ran'\n`

/** What code in the account of a backend tries, outside of its container. */
export function accountAttacks(host: () => Host): void {
  const sh = (script: string) => host().asUser(USER).exec(['sh', '-c', script])
  const userctl = (...args: string[]) => host().run(['systemctl', '--user', '-M', `${USER}@.host`, ...args])
  const engineAnswers = async () => {
    const curl = ['curl', '-sS', '--max-time', '20', '--retry', '20', '--retry-delay', '1', '--retry-all-errors']
    const socket = ['--unix-socket', '/run/gate/backends/own/engine.sock', 'http://x/health']
    return (await host().exec([...curl, ...socket], { user: 'gate', timeoutMs: 60_000 })).stdout
  }
  const planned = async (): Promise<string[]> => {
    const { stdout } = await host().exec(['gatectl', 'plan', '--json'], { timeoutMs: 60_000 })
    return JSON.parse(stdout).changes.map(({ action, name }: { action: string; name: string }) => `${action} ${name}`)
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

  test('leaves nothing below /run/user, in crontabs or in a session of its own that an apply does not remove', async () => {
    await host().run(['install', '-d', '-m', '1730', '/var/spool/cron/crontabs'])
    write(host(), `/var/spool/cron/crontabs/${USER}`, '* * * * * id\n', 0o600) // as crontab(1) writes it for any account
    const units = ['transient', 'user', 'user.control'].map((name) => `${RUNTIME}/systemd/${name}/gate-own.service.d`)
    const quadlet = `${RUNTIME}/containers/systemd`
    const dropInFiles = units.map((dir, i) => `${dir}/${i}.conf`)
    const plant = dropInFiles.map((file) => `mkdir -p $(dirname ${file}); printf '%s' "$0" > ${file}`).join('\n')
    const more = `mkdir -p ${quadlet}; echo '[Container]' > ${quadlet}/evil.container
      setsid --fork sleep 1000 </dev/null >/dev/null 2>&1; systemctl --user daemon-reload`
    const planting = ['sh', '-c', `${plant}\n${more}`, DROP_IN]
    await host().asUser(USER).run(planting)
    const dropIns = () => userctl('show', 'gate-own.service', '--property=DropInPaths', '--value')
    expect((await dropIns()).trim().split(' ').toSorted()).toEqual(dropInFiles.toSorted())
    const found = await planned()
    for (const path of [...dropInFiles, `${quadlet}/evil.container`])
      expect(
        found.some((line) => line.startsWith('remove ') && `${path}/`.startsWith(`${line.slice(7)}/`)),
        path,
      ).toBe(true)
    expect(found).toContain(`remove /var/spool/cron/crontabs/${USER}`)
    await host().run(['gatectl', 'apply', '--yes'], { timeoutMs: 120_000 })
    expect((await dropIns()).trim()).toBe('')
    expect(await planned()).toEqual([])
    expect(await engineAnswers()).toContain('ok')
    expect(await host().exec(['test', '-e', `${RUNTIME}/ran`])).toMatchObject({ code: 1 })
    expect(await host().exec(['pgrep', '--uid', USER, '--full', 'sleep 1000'])).toMatchObject({ code: 1 })
  })

  test('of what it left in its home while that was its own, nothing is read after an upgrade', async () => {
    await host().run(['chown', `${USER}:`, `${HOME}/.local`, `${HOME}/.local/share`]) // as the version before had them
    const dir = `${HOME}/.local/share/systemd/user/gate-own.service.d`
    const plant = `mkdir -p ${dir}; printf '%s' "$0" > ${dir}/x.conf; ln -s /etc ${HOME}/.local/share/dbus-1`
    await host().asUser(USER).run(['sh', '-c', plant, DROP_IN])
    await host().run(['gatectl', 'apply', '--yes'], { timeoutMs: 120_000 })
    expect(await planned()).toEqual([])
    expect(await engineAnswers()).toContain('ok')
    expect(await host().exec(['test', '-e', `${RUNTIME}/ran`])).toMatchObject({ code: 1 })
    expect(await host().run(['ls', '-A', `${HOME}/.local/share`])).toBe('containers\n')
    expect(await sh(`ls ${HOME}/.moved-aside`)).toMatchObject({ code: 2 })
  })

  test('cannot give its agent orders, nor that of another backend', async () => {
    const ask = ['curl', '-sS', '--max-time', '3', '--unix-socket', '/run/gate/backends/own/agent.sock', 'telnet://x']
    const stop = `${JSON.stringify({ op: 'stop', unit: 'gate-own.service' })}\n`
    const asAccount = await host().exec(ask, { user: USER, input: stop })
    expect(asAccount.stdout).toContain('"code":"PEER_REFUSED"')
    expect(await engineAnswers()).toContain('ok')
  })
}

/** Tried last: it takes the deployment away. */
export function lastAccountAttacks(host: () => Host): void {
  test('neither stops an uninstall by processes of its own nor leaves anything to a later account', async () => {
    const cron = `/var/spool/cron/crontabs/${USER}`
    await host().run(['install', '-d', '-m', '1730', '/var/spool/cron/crontabs', '/var/spool/cron/atjobs'])
    for (const place of [cron, '/var/spool/cron/atjobs/a1', `/var/mail/${USER}`]) write(host(), place, 'x\n', 0o600)
    await host().run(['chown', USER, cron, '/var/spool/cron/atjobs/a1', `/var/mail/${USER}`])
    const plant = `mkdir -p /tmp/left/inner; echo x > /dev/shm/left; cp /bin/true /var/tmp/left; chmod 4755 /var/tmp/left
      ipcmk --shmem 100; ipcmk --queue; ipcmk --semaphore 1
      podman unshare chown 5:5 /var/tmp/left-of-subuid 2>/dev/null; echo x > /tmp/other
      podman unshare sh -c 'echo x > /tmp/subuid && chown 5:5 /tmp/subuid && chmod 700 /tmp/subuid'
      setsid --fork sh -c 'trap "" TERM HUP; while :; do sleep 0.1 & sleep 0.1; done' </dev/null >/dev/null 2>&1
      setsid --fork podman unshare setpriv --reuid=5 --regid=5 --clear-groups sleep 1000 </dev/null >/dev/null 2>&1`
    await host().asUser(USER).run(['sh', '-c', plant])
    await host().run(['gatectl', 'uninstall', '--purge', '--yes'], { timeoutMs: 120_000 })
    expect(await host().exec(['id', USER])).toMatchObject({ code: 1 })
    const owned = ['(', '-uid', '40000', '-o', '-uid', '+536870911', ')']
    const left = await host().run(['find', '/', '/dev/shm', '/run', '/tmp', '-xdev', ...owned])
    expect(left).toBe('')
    expect(await host().run(['ps', '-eo', 'uid='])).not.toMatch(/^ *(40000|5\d{8})$/m)
    expect(await host().run(['cat', '/proc/sysvipc/shm', '/proc/sysvipc/msg', '/proc/sysvipc/sem'])).not.toMatch(
      / 40000 /,
    )
    for (const place of [cron, `/var/mail/${USER}`, '/var/lib/gate-backends'])
      expect(await host().exec(['test', '-e', place])).toMatchObject({ code: 1 })
  })
}
