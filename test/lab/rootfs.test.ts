import { expect, test } from 'vitest'
import { aptSources } from './rootfs.ts'

test.each([
  {
    name: 'a one-line file, with options and comments',
    file: 'sources.list',
    text: '# main\n#deb http://a/ trixie main\n deb [arch=amd64 signed-by=/k.gpg] http://b/debian trixie main contrib # c\ndeb-src http://c/ trixie main\n',
    expected: [{ uri: 'http://b/debian', suites: ['trixie'], components: ['main', 'contrib'] }],
  },
  {
    name: 'a flat one-line archive',
    file: 'x.list',
    text: 'deb file:/srv/debs ./\n',
    expected: [{ uri: 'file:/srv/debs', suites: ['./'], components: [] }],
  },
  {
    name: 'a deb822 file, with comments, continued fields and several addresses',
    file: 'debian.sources',
    text: 'Types: deb deb-src\n# mirror\nURIs: http://a/debian\n  http://b/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /k.gpg\n\ntypes: deb\nuris: http://c/\nsuites: nodistro\ncomponents: main\n',
    expected: [
      { uri: 'http://a/debian', suites: ['bookworm', 'bookworm-updates'], components: ['main'] },
      { uri: 'http://b/debian', suites: ['bookworm', 'bookworm-updates'], components: ['main'] },
      { uri: 'http://c/', suites: ['nodistro'], components: ['main'] },
    ],
  },
  {
    name: 'a deb822 file that is switched off, and one of sources only',
    file: 'off.sources',
    text: 'Types: deb\nURIs: http://a/\nSuites: sid\nComponents: main\nEnabled: no\n\nTypes: deb-src\nURIs: http://b/\nSuites: sid\nComponents: main\n',
    expected: [],
  },
])('reads apt sources: $name', ({ file, text, expected }) => {
  expect(aptSources(file, text)).toEqual(expected)
})
