import { expect, test } from 'vitest'
import { type CaFacts, ca } from '../../../../host/doctor/checks/ca.ts'
import { type HttpsFacts, https } from '../../../../host/doctor/checks/https.ts'
import { type OwnCertificateFacts, tls } from '../../../../host/doctor/checks/tls.ts'
import type { CertificateStatus } from '../../../../schemas/admin-tls.ts'
import { CERTIFICATE } from '../../../support/tls-status.ts'
import { pageOf } from './page.ts'

const NOW = Date.parse('2026-12-01T00:00:00Z')
const { served, renews_at: _at, renews_because: _because, ...unserved } = CERTIFICATE
const FAILED = { at: '2026-11-30T12:00:00.000Z', message: 'the CA does not answer' }
const SINCE = '2026-11-30T12:00:00.000Z'

test.each<{ name: string; certificate: Partial<CertificateStatus> | CertificateStatus; page: RegExp }>([
  { name: 'well', certificate: CERTIFICATE, page: /^ok ai.example.org \(acme\): 60 days left, renewed in 30 days$/ },
  {
    name: 'when the CA asks for it',
    certificate: { ...CERTIFICATE, renews_because: 'ari' },
    page: /renewed in 30 days, as the CA asks$/,
  },
  { name: 'due', certificate: { ...CERTIFICATE, renews_at: '2026-11-30T00:00:00.000Z' }, page: /renewed due now$/ },
  {
    name: 'of files',
    certificate: { ...unserved, ...(served && { served }), source: 'files' },
    page: /^ok ai.example.org \(files\): 60 days left, replaced when its files change$/,
  },
  {
    name: 'not there yet',
    certificate: { ...unserved, renewing: true },
    page: /^warn there is no certificate for ai.example.org yet\n {2}it is being got at this moment\n {2}\$ gatectl tls renew ai.example.org$/,
  },
  {
    name: 'that failed once',
    certificate: { ...CERTIFICATE, last_error: FAILED, renews_at: '2026-12-01T00:10:00.000Z', renews_because: 'retry' },
    page: /^warn ai.example.org could not be renewed\n {2}2026-11-30T12:00:00.000Z: the CA does not answer\n {2}the next attempt is in 10 minutes\n/,
  },
  {
    name: 'that never came',
    certificate: { ...unserved, last_error: FAILED },
    page: /^warn there is no certificate for ai.example.org yet\n {2}2026/,
  },
  {
    name: 'in its last quarter',
    certificate: {
      ...CERTIFICATE,
      last_error: FAILED,
      alarm: { kind: 'expiring', since: SINCE, message: 'it expires in 20 days' },
    },
    page: /^warn ai.example.org \(acme\): it expires in 20 days\n {2}since 2026.*\n {2}2026.*the CA does not answer\n {2}\$ gatectl tls renew/,
  },
  {
    name: 'expired',
    certificate: { ...CERTIFICATE, alarm: { kind: 'expired', since: SINCE, message: 'it expired' } },
    page: /^fail ai.example.org \(acme\): it expired\n/,
  },
  {
    name: 'of files that the daemon may not read',
    certificate: {
      ...unserved,
      source: 'files',
      alarm: {
        kind: 'absent',
        since: SINCE,
        message: "there is no certificate: EACCES: permission denied, open '/etc/gate/tls/key.pem'",
      },
    },
    page: /^fail .*\n.*\n {2}\$ chgrp gate \/etc\/gate\/tls\/key.pem && chmod 640 \/etc\/gate\/tls\/key.pem$/,
  },
  {
    name: 'of files that cannot be used',
    certificate: {
      ...CERTIFICATE,
      source: 'files',
      alarm: { kind: 'refused-files', since: SINCE, message: 'the key is of another certificate' },
    },
    page: /^fail ai.example.org \(files\): the key is[\s\S]*> the files that tls.files names: put a certificate/,
  },
])('tls: a certificate $name', ({ certificate, page }) => {
  const facts: OwnCertificateFacts = {
    nowMs: NOW,
    certificates: [certificate as CertificateStatus],
    user: 'gate',
    uncoveredHost: undefined,
    hasAccount: true,
  }
  expect(pageOf(tls, facts)).toMatch(page)
})

test.each<{ facts: Partial<OwnCertificateFacts>; page: RegExp }>([
  { facts: { certificates: undefined }, page: /^skip certificates of the daemon\n/ },
  { facts: { certificates: [] }, page: /^ok the daemon serves no TLS itself$/ },
  {
    facts: { hasAccount: false },
    page: /^ok .*\nwarn the daemon has no account at the CA\n.*CAA records that name the old/,
  },
  {
    facts: { uncoveredHost: 'other.example.org' },
    page: /^ok .*\nfail no certificate is for other.example.org\n.*\n {2}> server.external_url: name a host/,
  },
])('tls: $page', ({ facts, page }) => {
  const usual = { nowMs: NOW, certificates: [CERTIFICATE], user: 'gate', uncoveredHost: undefined, hasAccount: true }
  expect(pageOf(tls, { ...usual, ...facts })).toMatch(page)
})

test.each([
  { message: 'tls.acme.ca: /etc/ca.pem has no certificate in PEM', fix: /> tls\.acme\.ca: name the file/ },
  {
    message: 'ca.test could not be asked: its certificate is not by the CA in the file of tls.acme.ca',
    fix: /> tls\.acme\.ca/,
  },
  { message: 'tls.acme.eab_kid is set, and tls.acme.eab_hmac is missing: set it', fix: /> tls\.acme\.eab_hmac/ },
  { message: 'tls.internal_ca has no name to certify: set tls.names', fix: /> tls\.names/ },
  { message: 'the CA of this host is not in /x (ENOENT): run gatectl apply as root', fix: /\$ gatectl apply$/ },
  { message: 'by the clock of the CA it is not time to renew', fix: /\$ gatectl doctor --only clock$/ },
  { message: 'the CA asked to be left alone for 9 more minutes: rateLimited', fix: /> the CA: wait/ },
  { message: 'DNS problem: NXDOMAIN looking up A for ai.example.org', fix: /\$ gatectl doctor --only dns$/ },
  { message: 'ca.test could not be asked: connect ECONNREFUSED', fix: /> the network of this host/ },
  { message: 'the CA does not answer', fix: /\$ gatectl tls renew ai\.example\.org$/ },
])('tls: what mends "$message"', ({ message, fix }) => {
  const certificate = { ...CERTIFICATE, last_error: { ...FAILED, message } }
  const facts = { nowMs: NOW, certificates: [certificate], user: 'gate', uncoveredHost: undefined, hasAccount: true }
  expect(pageOf(tls, facts)).toMatch(fix)
})

const ANSWER = {
  url: 'https://0.0.0.0:443',
  name: 'ai.example.org',
  expected: 'ab',
  answer: { kind: 'shown', sha256: 'ab', isForName: true },
} as const
test.each<{ name: string; facts: Partial<HttpsFacts>; page: RegExp }>([
  { name: 'right', facts: { isOutside: false }, page: /^ok 1 of 1 answer with the right certificate, from this host$/ },
  {
    name: 'right, and open to others',
    facts: {},
    page: /^ok 1 of 1.*\nskip the way from outside\n {2}whether firewalls.*cannot be known here: gatectl tls check NAME on/,
  },
  {
    name: 'nothing is served',
    facts: { listening: [], hasCertificate: false, answers: [] },
    page: /^ok the daemon serves nothing over TLS itself$/,
  },
  {
    name: 'no certificate',
    facts: { hasCertificate: false, answers: [] },
    page: /^fail https:\/\/0.0.0.0:443 refuses all clients\n {2}there is no certificate, .*\n {2}\$ gatectl tls status$/,
  },
  {
    name: 'certificates without a listener',
    facts: { listening: [], answers: [] },
    page: /^ok the daemon serves nothing over TLS itself$/,
  },
  {
    name: 'no answer',
    facts: { answers: [{ ...ANSWER, answer: { kind: 'refused', message: 'connect ECONNREFUSED' } }], isOutside: false },
    page: /^fail https:\/\/0.0.0.0:443 does not answer for ai.example.org\n {2}connect ECONNREFUSED\n/,
  },
  {
    name: 'an older one',
    facts: { answers: [{ ...ANSWER, answer: { kind: 'shown', sha256: 'cd', isForName: true } }], isOutside: false },
    page: /^fail .* does not show the certificate of ai.example.org\n {2}it shows another certificate for it;/,
  },
  {
    name: 'of another program',
    facts: { answers: [{ ...ANSWER, answer: { kind: 'shown', sha256: 'cd', isForName: false } }], isOutside: false },
    page: /it shows a certificate of another name; another program may hold the port/,
  },
])('https: $name', ({ facts, page }) => {
  const usual: HttpsFacts = { answers: [ANSWER], listening: [ANSWER.url], hasCertificate: true, isOutside: true }
  expect(pageOf(https, { ...usual, ...facts })).toMatch(page)
})

type Used = Extract<CaFacts, { kind: 'used' }>
const USED: Used = {
  kind: 'used',
  directory: 'https://ca.example/dir',
  asked: { kind: 'answers', aheadMs: 500, identities: ['ca.example'] },
  account: 'https://ca.example/acct/1',
  challenge: 'tls-alpn-01',
  caa: [{ name: 'ai.example.org', found: { kind: 'found', relevant: undefined } }],
}
const withRecord = (value: string, name = 'ai.example.org'): Used['caa'] => [
  {
    name,
    found: {
      kind: 'found',
      relevant: { domain: 'example.org', records: [{ isCritical: false, tag: 'issue', value }] },
    },
  },
]
test.each<{ name: string; facts: Partial<Used> | { kind: 'unused' }; page: RegExp }>([
  { name: 'unused', facts: { kind: 'unused' }, page: /^ok no certificates are got by ACME$/ },
  {
    name: 'well',
    facts: {},
    page: /^ok the CA ca.example answers, and the clocks agree\nok no CAA records: any CA may issue$/,
  },
  {
    name: 'offline',
    facts: {
      asked: { kind: 'silent', why: 'ca.example could not be asked: ENETUNREACH' },
      caa: [{ name: 'ai.example.org', found: { kind: 'unknown', why: 'queryCaa ETIMEOUT' } }],
    },
    page: /^skip the CA ca.example\n {2}could not be looked at: .*ENETUNREACH\nskip CAA records of ai.example.org\n {2}could not be looked at: queryCaa ETIMEOUT$/,
  },
  {
    name: 'a clock that is behind',
    facts: { asked: { kind: 'answers', aheadMs: 3 * 3_600_000, identities: ['ca.example'] } },
    page: /^fail the clock of this host is 3 hours behind the one of ca.example\n/,
  },
  {
    name: 'a clock that is ahead',
    facts: { asked: { kind: 'answers', aheadMs: -86_400_000, identities: [] } },
    page: /^fail the clock of this host is 1 day ahead of the one of ca.example\n/,
  },
  {
    name: 'a CA that does not say the time',
    facts: { asked: { kind: 'answers', aheadMs: undefined, identities: [] } },
    page: /^ok/,
  },
  {
    name: 'CAA that allows it',
    facts: { caa: withRecord('ca.example') },
    page: /ok CAA allows the CA for ai.example.org$/,
  },
  {
    name: 'CAA of another CA',
    facts: { caa: withRecord('other.example') },
    page: /fail CAA of example.org forbids a certificate for ai.example.org\n {2}it allows issue "other.example" alone\n {2}> the DNS zone of example.org: example.org. CAA 0 issue "ca.example"$/,
  },
  {
    name: 'CAA of another account',
    facts: { caa: withRecord('ca.example; accounturi=https://ca.example/acct/2') },
    page: /it allows the account https:\/\/ca.example\/acct\/2 alone, and ours is https:\/\/ca.example\/acct\/1/,
  },
  {
    name: 'CAA of another challenge, for a wildcard',
    facts: { caa: withRecord('ca.example; validationmethods=dns-01', '*.example.org') },
    page: /it allows dns-01 alone, and tls-alpn-01 is used\n.*CAA 0 issuewild "ca.example"$/,
  },
  {
    name: 'CAA, and a CA that does not say its name',
    facts: { asked: { kind: 'answers', aheadMs: 0, identities: [] }, caa: withRecord('x') },
    page: /skip CAA records of example.org\n {2}the CA does not say/,
  },
  {
    name: "CAA for Let's Encrypt, which cannot be asked",
    facts: {
      directory: 'https://acme-v02.api.letsencrypt.org/directory',
      asked: { kind: 'silent', why: 'offline' },
      caa: withRecord('letsencrypt.org'),
    },
    page: /ok CAA allows the CA for ai.example.org$/,
  },
])('ca: $name', ({ facts, page }) => {
  expect(pageOf(ca, 'kind' in facts && facts.kind === 'unused' ? facts : { ...USED, ...facts })).toMatch(page)
})
