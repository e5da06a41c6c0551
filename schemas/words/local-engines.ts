import type { Provider } from './providers.ts'

export type LocalEngine = { readonly name: string; readonly provider: Provider; readonly port: number }

/** Engines that people run on their own machine, and the loopback port each uses unless told otherwise. */
export const LOCAL_ENGINES: readonly LocalEngine[] = [
  { name: 'ollama', provider: 'ollama', port: 11_434 },
  // older ones; of two that answer, the later row counts
  { name: 'llama-cpp', provider: 'llama-cpp', port: 8_080 },
  { name: 'llama-cpp', provider: 'llama-cpp', port: 9_931 },
  { name: 'vllm', provider: 'vllm', port: 8_000 },
  { name: 'lmstudio', provider: 'lmstudio', port: 1_234 },
]
