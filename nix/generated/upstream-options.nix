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
    type = types.nullOr (types.strMatching "(https?://[^[:space:]/?#@]+|gate://[a-z2-7]{32})(/[^[:space:]?#]*)?");
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
    description = "Key sent to the upstream; several, separated by commas, take turns when one is told to wait.";
  };
  keyRequestsPerMinute = mkOption {
    type = types.nullOr types.ints.positive;
    default = null;
    description = "Requests per minute with each key of api_key; no limit when absent.";
  };
  models = mkOption {
    type = types.nullOr (types.listOf types.nonEmptyStr);
    default = null;
    description = "Ids of the models to expose; asked from the upstream when absent.";
  };
  dialects = mkOption {
    type = types.nullOr (types.submodule {
      options = {
        openaiChat = mkOption {
          type = types.nullOr (types.enum [ "native" "repair" "translate" ]);
          default = null;
          description = "How well it speaks OpenAI's chat completions; by provider, or as it was found out, when absent.";
        };
        openaiResponses = mkOption {
          type = types.nullOr (types.enum [ "native" "repair" "translate" ]);
          default = null;
          description = "How well it speaks OpenAI's responses; by provider, or as it was found out, when absent.";
        };
        anthropic = mkOption {
          type = types.nullOr (types.enum [ "native" "repair" "translate" ]);
          default = null;
          description = "How well it speaks Anthropic's messages; by provider, or as it was found out, when absent.";
        };
        google = mkOption {
          type = types.nullOr (types.enum [ "native" "repair" "translate" ]);
          default = null;
          description = "How well it speaks Google's generateContent; by provider, or as it was found out, when absent.";
        };
        ollama = mkOption {
          type = types.nullOr (types.enum [ "native" "repair" "translate" ]);
          default = null;
          description = "How well it speaks Ollama's API; by provider, or as it was found out, when absent.";
        };
      };
    });
    default = null;
    description = "";
  };
  parameters = mkOption {
    type = types.nullOr (types.listOf (types.submodule {
      options = {
        name = mkOption {
          type = types.nonEmptyStr;
          description = "Field of the request, as the upstream names it.";
        };
        default = mkOption {
          type = types.nullOr (types.either (types.either types.str types.number) types.bool);
          default = null;
          description = "Its value where the client sets none.";
        };
        json = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "The same as JSON, for lists and objects.";
        };
        drop = mkOption {
          type = types.nullOr types.bool;
          default = null;
          description = "Leave the field out, also where the client sets it.";
        };
      };
    }));
    default = null;
    description = "Fields of requests that get a default or are dropped: tables with name and default, json or drop.";
  };
  systemPrefix = mkOption {
    type = types.nullOr types.nonEmptyStr;
    default = null;
    description = "Text put in front of the client's instructions.";
  };
  toolArguments = mkOption {
    type = types.nullOr (types.enum [ "check" "repair" "pass" ]);
    default = null;
    description = "Arguments of tools in answers that are translated. check: repaired, or refused; repair: the same, but an object that does not fit its schema passes; pass: as they come. When absent, pass for openai, anthropic, google, azure, bedrock and peer, and check for all others.";
  };
  prices = mkOption {
    type = types.nullOr (types.listOf (types.submodule {
      options = {
        model = mkOption {
          type = types.nonEmptyStr;
          description = "Id of the model at the upstream.";
        };
        input = mkOption {
          type = types.ints.between 0 1000000000000;
          description = "Micro-dollars for a million tokens of input.";
        };
        output = mkOption {
          type = types.ints.between 0 1000000000000;
          description = "The same of output.";
        };
        cacheRead = mkOption {
          type = types.nullOr (types.ints.between 0 1000000000000);
          default = null;
          description = "The same of input that came from a cache.";
        };
        cacheWrite = mkOption {
          type = types.nullOr (types.ints.between 0 1000000000000);
          default = null;
          description = "The same of input that was put into a cache.";
        };
      };
    }));
    default = null;
    description = "Prices of its models, in place of the known ones: tables with model, input and output in micro-dollars.";
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
