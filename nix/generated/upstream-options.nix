# Made by "npm run generate"; changes here are lost.
# Options of one upstream of the spec.
{ lib, anything, secretReference, ... }:
let
  inherit (lib) literalMD mkOption types;
in
{
  enabled = mkOption {
    type = types.bool;
    default = true;
    description = "Whether requests may go there.";
  };
  provider = mkOption {
    type = types.enum [ "openai" "anthropic" "google" "azure" "bedrock" "mistral" "groq" "openrouter" "deepseek" "together" "fireworks" "xai" "cohere" "perplexity" "moonshot" "ollama" "vllm" "sglang" "llama-cpp" "lmstudio" "custom" "peer" "echo" ];
    description = "Kind of upstream; decides the default base_url.";
  };
  baseUrl = mkOption {
    type = types.nullOr (types.strMatching "https?://[^[:space:]/?#@]+(/[^[:space:]?#]*)?");
    default = null;
    example = "https://api.openai.com/v1";
    description = "URL up to and including the version, such as \"https://api.openai.com/v1\".";
  };
  socket = mkOption {
    type = types.nullOr types.nonEmptyStr;
    default = null;
    description = "Unix socket to connect to, in place of the host and port in base_url.";
  };
  apiKey = mkOption {
    type = types.nullOr secretReference;
    default = null;
    example = { file = "/run/secrets/name"; };
    description = "Key sent to the upstream.";
  };
  models = mkOption {
    type = types.nullOr (types.listOf types.nonEmptyStr);
    default = null;
    description = "Ids of the models to expose; asked from the upstream when absent.";
  };
  timeout = mkOption {
    type = types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)";
    default = "600s";
    example = "10s";
    description = "Longest wait for the response headers. A duration such as \"10s\".";
  };
  idleTimeout = mkOption {
    type = types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)";
    default = "120s";
    example = "10s";
    description = "Longest silence inside a response. A duration such as \"10s\".";
  };
  connectTimeout = mkOption {
    type = types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)";
    default = "5s";
    example = "10s";
    description = "Longest wait for a connection. A duration such as \"10s\".";
  };
}
