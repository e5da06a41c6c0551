/** What OpenTelemetry's conventions call a provider, where it is not what Gate does. @see gen_ai.provider.name */
const NAMES: Readonly<Record<string, string>> = {
  azure: 'azure.ai.openai',
  bedrock: 'aws.bedrock',
  google: 'gcp.gemini',
  gemini: 'gcp.gemini',
  mistral: 'mistral_ai',
  moonshot: 'moonshot_ai',
  vertex: 'gcp.vertex_ai',
  xai: 'x_ai',
}

export const providerNameOf = (provider: string): string => NAMES[provider] ?? provider
