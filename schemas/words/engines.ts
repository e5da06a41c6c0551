/** Programs that Gate knows the arguments, ports and health checks of; custom: any other. */
export const ENGINES = [
  'vllm',
  'llama-cpp',
  'ollama',
  'tei',
  'infinity',
  'whisper-cpp',
  'open-webui',
  'custom',
] as const

/** How a container gets at a GPU. */
export const GPU_KINDS = ['nvidia', 'amd', 'vulkan', 'none'] as const
