// Texts of the Debian package that depend on its version or content.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const MAINTAINER = 'The Gate authors <gate@packages.invalid>'
/**
 * systemd 254 has all that the units use (notify-reload, OpenFile, RestartSteps). The libraries are what the pinned
 * Node and the native packages link. What only backends need is recommended: a gateway to providers alone works without
 * podman.
 */
const DEPENDS = ['libc6 (>= 2.28)', 'libgcc-s1', 'libstdc++6 (>= 9)', 'systemd (>= 254)']
const RECOMMENDS = [
  'ca-certificates',
  'dbus-user-session',
  'nftables',
  'passt',
  'podman (>= 4.4)',
  'systemd-container',
  'uidmap',
]
const SUGGESTS = ['dnsmasq-base', 'nginx']

type ControlValues = { readonly version: string; readonly architecture: string; readonly installedKib: number }

/** @see deb-control(5) */
export function control({ version, architecture, installedKib }: ControlValues): string {
  return `Package: gate
Version: ${version}
Architecture: ${architecture}
Maintainer: ${MAINTAINER}
Installed-Size: ${installedKib}
Depends: ${DEPENDS.join(', ')}
Recommends: ${RECOMMENDS.join(', ')}
Suggests: ${SUGGESTS.join(', ')}
Section: net
Priority: optional
Description: private AI gateway for people who run their own machines
 Programs speak to one address with one kind of key, in OpenAI's dialect.
 Gate passes each request on to an engine on your own hardware or to a
 provider, and writes down what was used.
 .
 A typed spec, gate.toml, also describes the engines: each runs as a rootless
 container of its own user, without network, and is started on demand.
`
}

/** @see deb-changelog(5) */
export function changelog(version: string, date: Date): string {
  // the form of RFC 5322, whatever the language and time zone of this machine
  const when = date.toUTCString().replace('GMT', '+0000')
  return `gate (${version}) stable; urgency=medium

  * What is new for users is in changelog.gz.

 -- ${MAINTAINER}  ${when}
`
}

/** The licences of Gate and of everything that is installed with it; the texts of the latter lie beside their files. */
export function copyright(root: string, packages: readonly string[]): string {
  const bundled = packages
    .filter((path) => existsSync(join(root, path, 'package.json')))
    .map((path) => {
      const manifest: unknown = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'))
      const license = typeof manifest === 'object' && manifest !== null && 'license' in manifest ? manifest.license : ''
      return `Files: /usr/lib/gate/${path}/*\nCopyright: the authors of ${path.replace(/^.*node_modules\//, '')}\nLicense: ${String(license)}\n The text is beside the files.`
    })
  const license = readFileSync(join(root, 'LICENSE'), 'utf8')
  const holder = /Copyright \(c\) (.*)/.exec(license)?.[1] ?? ''
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Gate

Files: *
Copyright: ${holder}
License: MIT
${indented(license)}

Files: /usr/lib/gate/node
Copyright: Node.js contributors, and the authors of what is linked into it
License: MIT and others
 The binary of the Node.js project, unchanged. "/usr/lib/gate/node -p process.release.sourceUrl"
 says where its sources are; their file LICENSE holds the licences.

${bundled.join('\n\n')}

Comment: The Apache License 2.0 is in /usr/share/common-licenses/Apache-2.0.
`
}

const indented = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? ' .' : ` ${line}`))
    .join('\n')

/** What lintian finds and is meant. */
export function lintianOverrides(): string {
  return `# The Node.js project's own binary, which Gate is tested with: unchanged, so that its checksum can be compared.
gate: embedded-library zlib [usr/lib/gate/node]
gate: hardening-no-pie [usr/lib/gate/node]
gate: unstripped-binary-or-object [usr/lib/gate/node]
# Of better-sqlite3 and node-pty: unchanged for the same reason.
gate: unstripped-binary-or-object [usr/lib/gate/node_modules/*]
# Of form-data, which acme-client needs: a part of asynckit that is called so, and not the library async.
gate: embedded-javascript-library please use libjs-async [usr/lib/gate/node_modules/asynckit/lib/async.js]
# For root alone, as gatectl doctor asks for it: an administrator with a key to set will sooner or later write it there.
gate: non-standard-file-perm 0600 != 0644 [etc/gate/gate.env]
`
}
