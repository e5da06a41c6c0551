import { createInterface } from 'node:readline'
import { compile } from '../../../compiler/compile.ts'
import { DEPLOYED_TARGETS } from '../../../host/plan/desired.ts'
import { Failure, usageFailure } from '../../failure.ts'
import type { Invocation } from '../../invocation.ts'
import { diagnosticText } from '../../output/diagnostic-text.ts'
import { printable } from '../../output/printed.ts'
import { type Answers, firstSpec, parseBackend, usualImage, withImages } from './first-spec.ts'

type Question = {
  /** The option that answers it. */
  readonly option: string
  readonly about: string
  readonly fallback: string
  /** Always when absent. */
  readonly isAsked?: (answers: Answers) => boolean
  /** @throws Failure */
  readonly take: (answers: Answers, answer: string) => Answers
}

const words = (answer: string) => answer.split(/[\s,]+/).filter((word) => word !== '')

/** What a set-up wants to know, in the order asked: each answer is checked with those before it. */
const QUESTIONS: readonly Question[] = [
  {
    option: 'domain',
    about: 'Domain of the gateway, such as ai.home.arpa',
    fallback: '',
    take: (answers, answer) => ({ ...answers, domain: answer === '' ? undefined : answer }),
  },
  {
    option: 'profile',
    about: 'Machine: desktop, small-vps, medium-vps, large-vps',
    fallback: 'desktop',
    take: (answers, profile) => ({ ...answers, profile }),
  },
  {
    option: 'port',
    about: 'Port of the gateway, or random',
    fallback: '3000',
    take: (answers, port) => ({ ...answers, port }),
  },
  {
    option: 'proxy',
    about: 'Reverse proxy in front of it: nginx, caddy, none',
    fallback: 'none',
    isAsked: ({ domain }) => domain !== undefined,
    take: (answers, proxy) => ({ ...answers, proxy }),
  },
  {
    option: 'tls',
    about: 'Certificates: acme:ADDRESS (an account by mail), internal-ca, none',
    fallback: 'none',
    isAsked: ({ proxy }) => proxy !== 'none',
    take: (answers, tls) => ({ ...answers, tls }),
  },
  {
    option: 'budget',
    about: 'Budget: test (5 USD a day), prod (200 USD a month), unlimited',
    fallback: 'unlimited',
    take: (answers, budget) => ({ ...answers, budget }),
  },
  {
    option: 'upstream',
    about: 'Providers, such as openai, anthropic',
    fallback: '',
    take: (answers, answer) => ({ ...answers, upstreams: words(answer) }),
  },
  {
    option: 'gpu',
    about: 'GPU of this machine: nvidia, amd, vulkan, none',
    fallback: 'none',
    take: (answers, gpu) => ({ ...answers, gpu }),
  },
  {
    option: 'backend',
    about: 'Local engines as name=engine:model, such as qwen=vllm:Qwen/Qwen3-8B',
    fallback: '',
    take: (answers, answer) => ({ ...answers, backends: words(answer).map(parseBackend) }),
  },
]

/**
 * Asks on the terminal what no option says. For an answer that is not valid it says why and asks again.
 * @returns the text of the spec
 * @throws Failure when the input ends, or an option is not valid
 */
export async function askForSpec({ text, texts, stdin, stderr, note }: Invocation, given: Answers): Promise<string> {
  const terminal = createInterface({ input: stdin, output: stderr })
  // an iterator keeps lines that arrive before they are asked for, as pasted ones do
  const lines = terminal[Symbol.asyncIterator]()
  const ask = async (answers: Answers, { about, fallback, take }: Omit<Question, 'option'>): Promise<Answers> => {
    for (;;) {
      stderr.write(`${printable(about)} [${printable(fallback) || 'none'}]: `)
      const line = await lines.next()
      if (line.done === true)
        throw usageFailure('gatectl init: the input ended before the last question', 'nothing was written')
      try {
        const next = take(answers, line.value.trim() || fallback)
        checkedSpec(next)
        return next
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        note([error.problem.detail, error.problem.hint].join('\n  '))
      }
    }
  }
  try {
    let answers: Answers = given.backends.length > 0 && text('gpu') === undefined ? { ...given, backends: [] } : given
    checkedSpec(answers)
    for (const question of QUESTIONS) {
      const { option, isAsked = () => true } = question
      const isGiven = text(option) !== undefined || texts(option).length > 0
      if (option === 'gpu') answers = { ...answers, backends: given.backends } // which images there are depends on it
      if (!isGiven && isAsked(answers)) answers = await ask(answers, question)
    }
    for (const { name, engine } of answers.backends.filter(({ image }) => image === undefined)) {
      const about = `Image of ${name}, by digest (a tag is a warning)`
      const take = (before: Answers, image: string) => ({
        ...before,
        backends: withImages(before.backends, [`${name}=${image}`]),
      })
      answers = await ask(answers, { about, fallback: usualImage(engine, answers.gpu), take })
    }
    return checkedSpec(answers)
  } finally {
    terminal.close()
  }
}

/** The spec of these answers. What was answered may be no domain, no provider: the compiler knows. @throws Failure */
export function checkedSpec(answers: Answers): string {
  const text = firstSpec(answers)
  const { kind, diagnostics } = compile(text, { file: 'the new spec', targets: DEPLOYED_TARGETS })
  if (kind === 'compiled') return text
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  throw usageFailure('these answers do not make a valid spec', diagnosticText(errors, text))
}
