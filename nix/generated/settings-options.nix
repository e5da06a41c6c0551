# Made by "npm run generate"; changes here are lost.
# Options of the daemon's configuration; a key that is not set is left to the daemon.
{ lib, anything, secretReference, ... }:
let
  inherit (lib) literalMD mkOption types;
in
{
  server = {
    host = mkOption {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      defaultText = literalMD "what the daemon takes: `\"127.0.0.1\"`";
      description = "Address to listen on. A change takes effect at the next restart.";
    };
    port = mkOption {
      type = types.nullOr types.port;
      default = null;
      defaultText = literalMD "what the daemon takes: `3000`";
      description = "TCP port; 0 takes any free one. A change takes effect at the next restart.";
    };
    p2pPort = mkOption {
      type = types.nullOr types.port;
      default = null;
      defaultText = literalMD "what the daemon takes: `41147`";
      description = "Port for peers. A change takes effect at the next restart.";
    };
    allowFrom = mkOption {
      type = types.nullOr (types.listOf types.nonEmptyStr);
      default = null;
      defaultText = literalMD "what the daemon takes: `[]`";
      description = "Client addresses that may connect; empty: all.";
    };
    adminAllowFrom = mkOption {
      type = types.nullOr (types.listOf types.nonEmptyStr);
      default = null;
      defaultText = literalMD "what the daemon takes: `[]`";
      description = "Client addresses that may use the routes of operators; empty: those of allow_from.";
    };
    trustedProxies = mkOption {
      type = types.nullOr (types.listOf types.nonEmptyStr);
      default = null;
      defaultText = literalMD "what the daemon takes: `[]`";
      description = "Reverse proxies whose X-Forwarded-For, or PROXY protocol, is believed; empty: none.";
    };
    proxyProtocol = mkOption {
      type = types.nullOr types.bool;
      default = null;
      defaultText = literalMD "what the daemon takes: `false`";
      description = "Connections from trusted_proxies begin with a PROXY header, version 1 or 2; without it they end.";
    };
    externalUrl = mkOption {
      type = types.nullOr (types.strMatching "https?://([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\\[[0-9a-f:.]+])(:[0-9]{1,5})?");
      default = null;
      example = "https://ai.example.org";
      description = "Where clients reach the gateway, such as \"https://ai.example.org\": what redirects, cookies and links are made of.";
    };
    allowedHosts = mkOption {
      type = types.nullOr (types.listOf types.nonEmptyStr);
      default = null;
      defaultText = literalMD "what the daemon takes: `[]`";
      description = "Host names that requests may ask for; empty: any (with auth.mode none: loopback names).";
    };
    allowedOrigins = mkOption {
      type = types.nullOr (types.listOf types.nonEmptyStr);
      default = null;
      defaultText = literalMD "what the daemon takes: `[]`";
      description = "Origins of web pages, such as \"https://app.example.org\", whose scripts may ask; empty: none (CORS is off).";
    };
    maxBody = mkOption {
      type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(B|KiB|MiB|GiB|TiB)");
      default = null;
      defaultText = literalMD "what the daemon takes: `\"32MiB\"`";
      example = "32MiB";
      description = "Largest request body. A size such as \"32MiB\".";
    };
    maxBuffered = mkOption {
      type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(B|KiB|MiB|GiB|TiB)");
      default = null;
      defaultText = literalMD "what the daemon takes: `\"512MiB\"`";
      example = "32MiB";
      description = "Request bodies and buffered answers in memory at once. A size such as \"32MiB\".";
    };
    maxConnections = mkOption {
      type = types.nullOr types.ints.positive;
      default = null;
      defaultText = literalMD "what the daemon takes: `20000`";
      description = "Open connections. A change takes effect at the next restart.";
    };
    maxConnectionsPerAddress = mkOption {
      type = types.nullOr types.ints.positive;
      default = null;
      defaultText = literalMD "what the daemon takes: `256`";
      description = "Open connections of one address (IPv6: of a /64), and how many it may begin in two seconds; this host and trusted_proxies are not counted.";
    };
    maxConcurrent = mkOption {
      type = types.nullOr types.ints.positive;
      default = null;
      defaultText = literalMD "what the daemon takes: `10000`";
      description = "Requests in flight.";
    };
    headersTimeout = mkOption {
      type = types.nullOr types.str;
      default = null;
      defaultText = literalMD "what the daemon takes: `\"5s\"`";
      example = "10s";
      description = "Longest wait for the headers of a request. A duration such as \"10s\". A change takes effect at the next restart.";
    };
    bodyTimeout = mkOption {
      type = types.nullOr types.str;
      default = null;
      defaultText = literalMD "what the daemon takes: `\"60s\"`";
      example = "10s";
      description = "Longest wait for the whole request. A duration such as \"10s\". A change takes effect at the next restart.";
    };
    keepResponses = mkOption {
      type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
      default = null;
      defaultText = literalMD "what the daemon takes: `\"30d\"`";
      example = "30d";
      description = "How long answers of /v1/responses can be asked for again; 0s: they are not kept. A duration such as \"30d\".";
    };
    maxKept = mkOption {
      type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(B|KiB|MiB|GiB|TiB)");
      default = null;
      defaultText = literalMD "what the daemon takes: `\"1GiB\"`";
      example = "32MiB";
      description = "Answers that are kept, together; the oldest go first. A size such as \"32MiB\".";
    };
    maxBackground = mkOption {
      type = types.nullOr types.ints.unsigned;
      default = null;
      defaultText = literalMD "what the daemon takes: `100`";
      description = "Responses that run in the background at once; one key may have half of them; 0: none may.";
    };
    resumeStreams = mkOption {
      type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
      default = null;
      defaultText = literalMD "what the daemon takes: `\"0s\"`";
      example = "10s";
      description = "How long a stream goes on without its client, which may come back; 0s: not at all. A duration such as \"10s\".";
    };
    maxRecorded = mkOption {
      type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(B|KiB|MiB|GiB|TiB)");
      default = null;
      defaultText = literalMD "what the daemon takes: `\"64MiB\"`";
      example = "32MiB";
      description = "Memory for all resumable streams together. A size such as \"32MiB\".";
    };
    stallTimeout = mkOption {
      type = types.nullOr types.str;
      default = null;
      defaultText = literalMD "what the daemon takes: `\"60s\"`";
      example = "10s";
      description = "Longest time a client may stop reading its response. A duration such as \"10s\".";
    };
    drainTimeout = mkOption {
      type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
      default = null;
      defaultText = literalMD "what the daemon takes: `\"30s\"`";
      example = "10s";
      description = "Longest wait for requests in flight when stopping. A duration such as \"10s\".";
    };
  };
  auth = {
    mode = mkOption {
      type = types.nullOr (types.either (types.enum [ "token" "password" "device" "oidc" "none" ]) (types.listOf (types.enum [ "token" "password" "device" "oidc" "none" ])));
      default = null;
      defaultText = literalMD "what the daemon takes: `\"token\"`";
      description = "How people sign in, one or a list: token, password, device, oidc; keys count with each. none: no key, on a loopback address only. A change takes effect at the next restart.";
    };
    username = mkOption {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      defaultText = literalMD "what the daemon takes: `\"admin\"`";
      description = "Name of the user whose password is password_hash.";
    };
    jwt = {
      issuer = mkOption {
        type = types.nullOr types.nonEmptyStr;
        default = null;
        defaultText = literalMD "what the daemon takes: `\"gate\"`";
        description = "Issuer of access tokens.";
      };
      expirationHours = mkOption {
        type = types.nullOr types.numbers.positive;
        default = null;
        defaultText = literalMD "what the daemon takes: `24`";
        description = "Life of a login session.";
      };
    };
    oidc = mkOption {
      type = types.attrsOf (types.submodule {
        freeformType = anything;
        options = {
          issuer = mkOption {
            type = types.nullOr (types.strMatching "(https://[^[:space:]/?#@]+|http://(localhost|127\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}|\\[::1])(:[0-9]{1,5})?)(/[^[:space:]?#]*)?");
            default = null;
            description = "Issuer URL of the identity provider.";
          };
          clientId = mkOption {
            type = types.nullOr types.nonEmptyStr;
            default = null;
            description = "Client id registered there.";
          };
          scopes = mkOption {
            type = types.nullOr types.nonEmptyStr;
            default = null;
            defaultText = literalMD "what the daemon takes: `\"openid email profile\"`";
            description = "What the provider is asked for.";
          };
          claim = mkOption {
            type = types.nullOr types.nonEmptyStr;
            default = null;
            defaultText = literalMD "what the daemon takes: `\"groups\"`";
            description = "Claim with the groups of a person; dots lead into others: \"realm_access.roles\".";
          };
          roles = mkOption {
            type = types.nullOr (types.listOf (types.submodule {
              options = {
                group = mkOption {
                  type = types.nonEmptyStr;
                  description = "";
                };
                role = mkOption {
                  type = types.enum [ "admin" "member" "viewer" ];
                  description = "";
                };
              };
            }));
            default = null;
            defaultText = literalMD "what the daemon takes: `[]`";
            description = "Role for the members of a group, the first that fits; without any, roles are managed in Gate.";
          };
          otherwise = mkOption {
            type = types.nullOr (types.enum [ "admin" "member" "viewer" "none" ]);
            default = null;
            defaultText = literalMD "what the daemon takes: `\"member\"`";
            description = "Role of people in none of the groups; none: they are not let in.";
          };
        };
      });
      default = { };
      description = "Identity providers (OpenID Connect) that people sign in with, by name.";
    };
    proxy = {
      from = mkOption {
        type = types.nullOr (types.listOf types.nonEmptyStr);
        default = null;
        defaultText = literalMD "what the daemon takes: `[]`";
        description = "Reverse proxies that sign users in and name them in headers; empty: none. One of this host must be written as its loopback address.";
      };
      userHeader = mkOption {
        type = types.nullOr types.nonEmptyStr;
        default = null;
        defaultText = literalMD "what the daemon takes: `\"x-forwarded-user\"`";
        description = "Header that names the user.";
      };
      emailHeader = mkOption {
        type = types.nullOr types.nonEmptyStr;
        default = null;
        defaultText = literalMD "what the daemon takes: `\"x-forwarded-email\"`";
        description = "Header with the user's address for e-mail.";
      };
      groupsHeader = mkOption {
        type = types.nullOr types.nonEmptyStr;
        default = null;
        defaultText = literalMD "what the daemon takes: `\"x-forwarded-groups\"`";
        description = "Header with the user's groups, between commas.";
      };
      roles = mkOption {
        type = types.nullOr (types.listOf (types.submodule {
          options = {
            group = mkOption {
              type = types.nonEmptyStr;
              description = "";
            };
            role = mkOption {
              type = types.enum [ "admin" "member" "viewer" ];
              description = "";
            };
          };
        }));
        default = null;
        defaultText = literalMD "what the daemon takes: `[]`";
        description = "Role for the members of a group, the first that fits; users in none of them are members.";
      };
    };
    tailscale = {
      tailnets = mkOption {
        type = types.nullOr (types.listOf types.nonEmptyStr);
        default = null;
        defaultText = literalMD "what the daemon takes: `[]`";
        description = "Tailnets whose users are signed in by their address, such as \"tail1234.ts.net\"; empty: none.";
      };
    };
    breakGlass = mkOption {
      type = types.nullOr types.bool;
      default = null;
      defaultText = literalMD "what the daemon takes: `false`";
      description = "Let bootstrap.user in by HTTP Basic, for when no other way to sign in is left. A change takes effect at the next restart.";
    };
    bootstrap = {
      user = mkOption {
        type = types.nullOr types.nonEmptyStr;
        default = null;
        defaultText = literalMD "what the daemon takes: `\"admin\"`";
        description = "User of break_glass. A change takes effect at the next restart.";
      };
    };
  };
  upstreams = mkOption {
    type = types.attrsOf (types.submodule {
      freeformType = anything;
      options = {
        enabled = mkOption {
          type = types.nullOr types.bool;
          default = null;
          defaultText = literalMD "what the daemon takes: `true`";
          description = "Whether requests may go there.";
        };
        provider = mkOption {
          type = types.nullOr (types.enum [ "openai" "anthropic" "google" "azure" "bedrock" "mistral" "groq" "openrouter" "deepseek" "together" "fireworks" "xai" "cohere" "perplexity" "moonshot" "ollama" "vllm" "sglang" "llama-cpp" "lmstudio" "custom" "peer" "echo" ]);
          default = null;
          description = "Kind of upstream; decides the default base_url. The name of the upstream when that is a provider.";
        };
        baseUrl = mkOption {
          type = types.nullOr (types.strMatching "(https?://[^[:space:]/?#@]+|gate://[a-z2-7]{32})(/[^[:space:]?#]*)?");
          default = null;
          example = "https://api.openai.com/v1";
          description = "URL up to and including the version, such as \"https://api.openai.com/v1\"; by provider when absent.";
        };
        socket = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "Unix socket to connect to, in place of the host and port in base_url.";
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
        dialects = {
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
          type = types.nullOr types.str;
          default = null;
          defaultText = literalMD "what the daemon takes: `\"600s\"`";
          example = "10s";
          description = "Longest wait for the response headers. A duration such as \"10s\".";
        };
        idleTimeout = mkOption {
          type = types.nullOr types.str;
          default = null;
          defaultText = literalMD "what the daemon takes: `\"120s\"`";
          example = "10s";
          description = "Longest silence inside a response. A duration such as \"10s\".";
        };
        connectTimeout = mkOption {
          type = types.nullOr types.str;
          default = null;
          defaultText = literalMD "what the daemon takes: `\"5s\"`";
          example = "10s";
          description = "Longest wait for a connection. A duration such as \"10s\".";
        };
      };
    });
    default = { };
    description = "Where requests can go, by name.";
  };
  backends = mkOption {
    type = types.attrsOf (types.submodule {
      freeformType = anything;
      options = {
        enabled = mkOption {
          type = types.nullOr types.bool;
          default = null;
          defaultText = literalMD "what the daemon takes: `true`";
          description = "Whether requests may go there.";
        };
        provider = mkOption {
          type = types.nullOr (types.enum [ "openai" "anthropic" "google" "azure" "bedrock" "mistral" "groq" "openrouter" "deepseek" "together" "fireworks" "xai" "cohere" "perplexity" "moonshot" "ollama" "vllm" "sglang" "llama-cpp" "lmstudio" "custom" "peer" "echo" ]);
          default = null;
          description = "Kind of upstream; decides the default base_url. The name of the upstream when that is a provider.";
        };
        baseUrl = mkOption {
          type = types.nullOr (types.strMatching "(https?://[^[:space:]/?#@]+|gate://[a-z2-7]{32})(/[^[:space:]?#]*)?");
          default = null;
          example = "https://api.openai.com/v1";
          description = "URL up to and including the version, such as \"https://api.openai.com/v1\"; by provider when absent.";
        };
        socket = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "Unix socket to connect to, in place of the host and port in base_url.";
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
        dialects = {
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
          type = types.nullOr types.str;
          default = null;
          defaultText = literalMD "what the daemon takes: `\"600s\"`";
          example = "10s";
          description = "Longest wait for the response headers. A duration such as \"10s\".";
        };
        idleTimeout = mkOption {
          type = types.nullOr types.str;
          default = null;
          defaultText = literalMD "what the daemon takes: `\"120s\"`";
          example = "10s";
          description = "Longest silence inside a response. A duration such as \"10s\".";
        };
        connectTimeout = mkOption {
          type = types.nullOr types.str;
          default = null;
          defaultText = literalMD "what the daemon takes: `\"5s\"`";
          example = "10s";
          description = "Longest wait for a connection. A duration such as \"10s\".";
        };
        agent = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "Socket of its gate-agent, which starts, stops and describes it; absent: none.";
        };
        idleStop = mkOption {
          type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
          default = null;
          example = "10s";
          description = "It stops by itself after this long without a connection and starts on the next one; absent: always on. A duration such as \"10s\".";
        };
        group = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "At most one backend of a group runs at a time, except those with the same together; needs agent.";
        };
        together = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "Backends of its group with the same word run side by side, and give way to others as one.";
        };
        priority = mkOption {
          type = types.nullOr (types.ints.between 0 100);
          default = null;
          defaultText = literalMD "what the daemon takes: `0`";
          description = "Within its group, requests for the backend with the highest priority are served first.";
        };
        pricePerHour = mkOption {
          type = types.nullOr (types.strMatching "[0-9]{1,9}(\\.[0-9]{1,6})? USD");
          default = null;
          description = "What an hour costs in which it answers requests, which share it; its idle time costs nothing. Absent: nothing.";
        };
        startTimeout = mkOption {
          type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
          default = null;
          defaultText = literalMD "what the daemon takes: `\"300s\"`";
          example = "10s";
          description = "Longest wait for it to start. A duration such as \"10s\".";
        };
        maxConcurrent = mkOption {
          type = types.nullOr types.ints.positive;
          default = null;
          description = "Requests that it answers at a time, others wait; no limit when absent.";
        };
        maxWaiting = mkOption {
          type = types.nullOr types.ints.positive;
          default = null;
          defaultText = literalMD "what the daemon takes: `100`";
          description = "Requests that may wait for it; more are refused.";
        };
        waitTimeout = mkOption {
          type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
          default = null;
          defaultText = literalMD "what the daemon takes: `\"120s\"`";
          example = "10s";
          description = "Longest wait for a free place, or until another backend of the group has finished its requests. A duration such as \"10s\".";
        };
      };
    });
    default = { };
    description = "Engines on this host, by name: upstreams that may have to start, or wait for each other.";
  };
  apps = mkOption {
    type = types.attrsOf (types.submodule {
      freeformType = anything;
      options = {
        agent = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "Socket of its gate-agent, which starts, stops and describes it.";
        };
      };
    });
    default = { };
    description = "What runs on this host and serves no models, by name: gatectl backend lists, starts and stops it.";
  };
  models = mkOption {
    type = types.attrsOf (types.submodule {
      freeformType = anything;
      options = {
        targets = mkOption {
          type = types.nullOr (types.listOf (types.either types.nonEmptyStr (types.submodule {
            options = {
              upstream = mkOption {
                type = types.nonEmptyStr;
                description = "Name of an upstream or backend.";
              };
              model = mkOption {
                type = types.nullOr types.nonEmptyStr;
                default = null;
                description = "Id sent to the upstream; the alias itself when absent.";
              };
              weight = mkOption {
                type = types.numbers.positive;
                default = 1;
                description = "Share of requests (weighted).";
              };
              baseUrl = mkOption {
                type = types.nullOr (types.strMatching "https?://[^[:space:]/?#@]+(/[^[:space:]?#]*)?");
                default = null;
                description = "URL for this target, below the base_url of its upstream.";
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
            };
          })));
          default = null;
          description = "Where requests for this model go: texts such as \"openai/gpt-5\", or tables with upstream, model and weight.";
        };
        strategy = mkOption {
          type = types.nullOr (types.enum [ "fallback" "weighted" "latency" "cost" ]);
          default = null;
          defaultText = literalMD "what the daemon takes: `\"fallback\"`";
          description = "fallback: in order; weighted: by share; latency: the faster of two; cost: the cheapest first.";
        };
        affinity = mkOption {
          type = types.nullOr (types.enum [ "session" "none" ]);
          default = null;
          defaultText = literalMD "what the daemon takes: `\"session\"`";
          description = "session: requests of one session go to the same target while it is well, where prompts are cached.";
        };
        failover = mkOption {
          type = types.nullOr (types.enum [ "before-content" "mid-stream" ]);
          default = null;
          defaultText = literalMD "what the daemon takes: `\"before-content\"`";
          description = "before-content: other targets are tried only until the client has received content; mid-stream: if a text breaks off, the next capable target continues it.";
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
        category = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "Category this alias belongs to; usable as a model name.";
        };
      };
    });
    default = { };
    description = "Virtual models, by the name that clients ask for.";
  };
  categories = mkOption {
    type = types.attrsOf (types.submodule {
      freeformType = anything;
      options = {
        description = mkOption {
          type = types.nullOr types.str;
          default = null;
          defaultText = literalMD "what the daemon takes: `\"\"`";
          description = "What its models are for.";
        };
      };
    });
    default = { };
    description = "Categories of virtual models that have a description, or no models yet, by name.";
  };
  budgets = mkOption {
    type = types.attrsOf (types.submodule {
      freeformType = anything;
      options = {
        limit = mkOption {
          type = types.nullOr (types.strMatching "[0-9]{1,9}(\\.[0-9]{1,6})? USD");
          default = null;
          description = "Money per window.";
        };
        window = mkOption {
          type = types.nullOr (types.enum [ "hour" "day" "week" "month" ]);
          default = null;
          description = "Calendar window, in the zone.";
        };
        zone = mkOption {
          type = types.nullOr (types.strMatching "(UTC|[A-Z][A-Za-z]{1,31}(/[A-Za-z0-9_+-]{1,31}){1,2})");
          default = null;
          defaultText = literalMD "what the daemon takes: `\"UTC\"`";
          example = "Europe/Berlin";
          description = "Time zone in which the window begins, such as \"Europe/Berlin\".";
        };
        scope = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          defaultText = literalMD "what the daemon takes: `\"global\"`";
          description = "Whose spending it counts: global; key:NAME, user:NAME, team:NAME, model:NAME or provider:NAME; each-key, each-user, each-team, each-model or each-provider; attached: the keys that name it.";
        };
        soft = mkOption {
          type = types.nullOr types.bool;
          default = null;
          defaultText = literalMD "what the daemon takes: `false`";
          description = "Once it is spent, requests are warned of it, and go on.";
        };
        overdraft = mkOption {
          type = types.nullOr (types.strMatching "[0-9]{1,9}(\\.[0-9]{1,6})? USD");
          default = null;
          defaultText = literalMD "what the daemon takes: `\"0 USD\"`";
          description = "What may be spent beyond the limit before requests are refused.";
        };
        unknownPrice = mkOption {
          type = types.nullOr (types.enum [ "count-as-0" "refuse" ]);
          default = null;
          defaultText = literalMD "what the daemon takes: `\"count-as-0\"`";
          description = "What becomes of requests to models whose price is not known.";
        };
      };
    });
    default = { };
    description = "Money that requests may cost per window, by name.";
  };
  limits = mkOption {
    type = types.attrsOf (types.submodule {
      freeformType = anything;
      options = {
        requestsPerMinute = mkOption {
          type = types.nullOr types.ints.positive;
          default = null;
          description = "Requests per minute; no limit when absent.";
        };
        tokensPerMinute = mkOption {
          type = types.nullOr types.ints.positive;
          default = null;
          description = "Tokens of prompts and answers per minute; no limit when absent.";
        };
        concurrent = mkOption {
          type = types.nullOr types.ints.positive;
          default = null;
          description = "Requests at a time; no limit when absent.";
        };
        scope = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          defaultText = literalMD "what the daemon takes: `\"each-key\"`";
          description = "Whose requests it counts: global; key:NAME, user:NAME, team:NAME or model:NAME; each-key, each-user, each-team, each-model or each-ip; attached: the keys that name it.";
        };
      };
    });
    default = { };
    description = "How many requests and tokens there may be per minute, and at a time, by name.";
  };
  discovery = {
    enabled = mkOption {
      type = types.nullOr types.bool;
      default = null;
      defaultText = literalMD "what the daemon takes: `true`";
      description = "Look for Ollama, llama.cpp, vLLM and LM Studio on loopback and use what answers, unless another login listens there.";
    };
    interval = mkOption {
      type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
      default = null;
      defaultText = literalMD "what the daemon takes: `\"30s\"`";
      example = "10s";
      description = "Time between two searches. A duration such as \"10s\".";
    };
  };
  tls = {
    host = mkOption {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      description = "Address that https_port and http_port listen on; every address of the host when absent. A change takes effect at the next restart.";
    };
    httpsPort = mkOption {
      type = types.nullOr types.port;
      default = null;
      description = "Port for HTTPS, where there is a certificate; 443 when absent; 0 takes any free one. A change takes effect at the next restart.";
    };
    httpPort = mkOption {
      type = types.nullOr types.port;
      default = null;
      description = "Port for redirects to HTTPS and for answers to http-01; absent: there is none; 0 takes any free one. A change takes effect at the next restart.";
    };
    names = mkOption {
      type = types.nullOr (types.listOf types.nonEmptyStr);
      default = null;
      defaultText = literalMD "what the daemon takes: `[]`";
      description = "Host names and addresses in the certificate of internal_ca, beside the host of server.external_url. A change takes effect at the next restart.";
    };
    files = {
      cert = mkOption {
        type = types.nullOr types.nonEmptyStr;
        default = null;
        description = "PEM file with the certificate chain, the own one first; read again when it changes. A change takes effect at the next restart.";
      };
      key = mkOption {
        type = types.nullOr types.nonEmptyStr;
        default = null;
        description = "PEM file with the private key; read again when it changes. A change takes effect at the next restart.";
      };
    };
    internalCa = mkOption {
      type = types.nullOr types.bool;
      default = null;
      defaultText = literalMD "what the daemon takes: `false`";
      description = "Issue certificates by the CA of this host. A change takes effect at the next restart.";
    };
    acme = {
      directory = mkOption {
        type = types.nullOr (types.strMatching "https?://[^[:space:]/?#@]+([/?][^[:space:]#]*)?");
        default = null;
        description = "URL of the ACME directory; Let's Encrypt when absent. A change takes effect at the next restart.";
      };
      ca = mkOption {
        type = types.nullOr types.nonEmptyStr;
        default = null;
        description = "PEM file with the CA that the directory is trusted by, by its absolute path; those of the system when absent. A change takes effect at the next restart.";
      };
      key = mkOption {
        type = types.nullOr (types.enum [ "ecdsa" "rsa" ]);
        default = null;
        defaultText = literalMD "what the daemon takes: `\"ecdsa\"`";
        description = "Kind of the private keys. A change takes effect at the next restart.";
      };
      eabKid = mkOption {
        type = types.nullOr types.nonEmptyStr;
        default = null;
        description = "Key id of an external account, where the CA asks for one. A change takes effect at the next restart.";
      };
    };
    hsts = mkOption {
      type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
      default = null;
      defaultText = literalMD "what the daemon takes: `\"365d\"`";
      example = "30d";
      description = "How long browsers insist on HTTPS for the names of the certificate; 0s: no such header. A duration such as \"30d\".";
    };
  };
  letsencrypt = {
    enabled = mkOption {
      type = types.nullOr types.bool;
      default = null;
      defaultText = literalMD "what the daemon takes: `false`";
      description = "Get certificates by ACME, from Let's Encrypt or where tls.acme.directory says. A change takes effect at the next restart.";
    };
    email = mkOption {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      description = "Account address. A change takes effect at the next restart.";
    };
    staging = mkOption {
      type = types.nullOr types.bool;
      default = null;
      defaultText = literalMD "what the daemon takes: `false`";
      description = "Use the staging directory. A change takes effect at the next restart.";
    };
    domains = mkOption {
      type = types.nullOr (types.listOf types.nonEmptyStr);
      default = null;
      defaultText = literalMD "what the daemon takes: `[]`";
      description = "Names to certify. A change takes effect at the next restart.";
    };
    challenge = mkOption {
      type = types.nullOr (types.enum [ "tls-alpn-01" "http-01" "dns-01" ]);
      default = null;
      defaultText = literalMD "what the daemon takes: `\"tls-alpn-01\"`";
      example = "*.example.org";
      description = "How control of the names is proven; dns-01 for names such as \"*.example.org\". A change takes effect at the next restart.";
    };
    dns = {
      provider = mkOption {
        type = types.nullOr (types.enum [ "cloudflare" "rfc2136" ]);
        default = null;
        description = "Who changes the zone: the API of Cloudflare, or a name server. A change takes effect at the next restart.";
      };
      api = mkOption {
        type = types.nullOr (types.strMatching "https?://[^[:space:]/?#@]+([/?][^[:space:]#]*)?");
        default = null;
        description = "URL of the API; that of the provider when absent. A change takes effect at the next restart.";
      };
      server = mkOption {
        type = types.nullOr types.nonEmptyStr;
        default = null;
        description = "Name server that takes updates, as host:port (rfc2136). A change takes effect at the next restart.";
      };
      zone = mkOption {
        type = types.nullOr types.nonEmptyStr;
        default = null;
        description = "Zone that is changed (rfc2136); of Cloudflare, it is found when absent. A change takes effect at the next restart.";
      };
      keyName = mkOption {
        type = types.nullOr types.nonEmptyStr;
        default = null;
        description = "Name of the TSIG key (rfc2136). A change takes effect at the next restart.";
      };
      algorithm = mkOption {
        type = types.nullOr (types.enum [ "hmac-sha256" "hmac-sha384" "hmac-sha512" ]);
        default = null;
        defaultText = literalMD "what the daemon takes: `\"hmac-sha256\"`";
        description = "Algorithm of the TSIG key. A change takes effect at the next restart.";
      };
    };
  };
  relay = {
    enable = mkOption {
      type = types.nullOr types.bool;
      default = null;
      defaultText = literalMD "what the daemon takes: `false`";
      description = "Make the gateway reachable through relays. A change takes effect at the next restart.";
    };
    addresses = mkOption {
      type = types.nullOr (types.listOf types.nonEmptyStr);
      default = null;
      defaultText = literalMD "what the daemon takes: `[]`";
      description = "Relays as host:port.";
    };
    domain = mkOption {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      description = "Domain below which relays give names; when absent, what follows \"relay.\" in their addresses.";
    };
    customDomain = mkOption {
      type = types.nullOr (types.strMatching "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
      default = null;
      description = "Name asked of the relay.";
    };
    names = mkOption {
      type = types.nullOr (types.listOf types.nonEmptyStr);
      default = null;
      defaultText = literalMD "what the daemon takes: `[]`";
      description = "Host names of your own that point to the relay; a TXT record at _gate-relay.NAME with the node id proves each.";
    };
    pins = mkOption {
      type = types.nullOr (types.listOf (types.strMatching "[A-Za-z0-9+/]{43}="));
      default = null;
      defaultText = literalMD "what the daemon takes: `[]`";
      description = "Public keys that a relay may have, as base64 of SHA-256; empty: its certificate has to be for its name.";
    };
    ca = mkOption {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      description = "PEM file with the CA that relays are trusted by, by its absolute path; those of the system when absent.";
    };
    ctLog = mkOption {
      type = types.nullOr (types.strMatching "https?://[^[:space:]/?#@]+([/?][^[:space:]#]*)?");
      default = null;
      example = "https://crt.sh/?output=json&q={name}";
      description = "Search of certificate logs, asked twice a day about each relayed name, such as \"https://crt.sh/?output=json&q={name}\"; a certificate that this daemon did not get is an alert.";
    };
    backends = mkOption {
      type = types.nullOr (types.listOf (types.submodule {
        options = {
          names = mkOption {
            type = types.listOf types.nonEmptyStr;
            description = "Host names that point to the relay, as in relay.names; the server has their certificates.";
          };
          address = mkOption {
            type = types.nonEmptyStr;
            description = "Server that ends their TLS: loopback or private address with port, or \"unix:/path\".";
          };
          proxyProtocol = mkOption {
            type = types.enum [ "v2" "v1" "off" ];
            default = "v2";
            description = "Version of the PROXY header that tells the server the address of each visitor.";
          };
        };
      }));
      default = null;
      defaultText = literalMD "what the daemon takes: `[]`";
      description = "Local servers with certificates of their own that visitors of their names are passed on to.";
    };
  };
  peers = mkOption {
    type = types.attrsOf (types.submodule {
      freeformType = anything;
      options = {
        node = mkOption {
          type = types.nullOr (types.strMatching "[a-z2-7]{32}");
          default = null;
          description = "Node id of the other gateway; no other key is taken for it.";
        };
        addresses = mkOption {
          type = types.nullOr (types.listOf types.nonEmptyStr);
          default = null;
          defaultText = literalMD "what the daemon takes: `[]`";
          description = "Where it can be reached directly, as host:port of its p2p_port; tried first.";
        };
        relays = mkOption {
          type = types.nullOr (types.listOf types.nonEmptyStr);
          default = null;
          defaultText = literalMD "what the daemon takes: `[]`";
          description = "Its names at relays, as name:port; tried when the direct way fails.";
        };
      };
    });
    default = { };
    description = "Other gateways, by name: those that may connect here, and those whose models are used.";
  };
  usage = {
    retention = mkOption {
      type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
      default = null;
      defaultText = literalMD "what the daemon takes: `\"90d\"`";
      example = "30d";
      description = "How long the usage log has a row for each request. A duration such as \"30d\".";
    };
    totalsRetention = mkOption {
      type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
      default = null;
      defaultText = literalMD "what the daemon takes: `\"1825d\"`";
      example = "30d";
      description = "How long usage by hour and day is kept. A duration such as \"30d\".";
    };
    keepText = {
      keys = mkOption {
        type = types.nullOr (types.listOf types.nonEmptyStr);
        default = null;
        defaultText = literalMD "what the daemon takes: `[]`";
        description = "Ids or names of keys whose prompts and answers are kept.";
      };
      models = mkOption {
        type = types.nullOr (types.listOf types.nonEmptyStr);
        default = null;
        defaultText = literalMD "what the daemon takes: `[]`";
        description = "Models, as clients ask for them, whose prompts and answers are kept.";
      };
    };
    textRetention = mkOption {
      type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
      default = null;
      defaultText = literalMD "what the daemon takes: `\"7d\"`";
      example = "30d";
      description = "How long prompts and answers are kept. A duration such as \"30d\".";
    };
  };
  managed = {
    claudeCode = mkOption {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      description = "Managed settings that Claude Code takes over once it has signed in, as a JSON object.";
    };
  };
  alerts = mkOption {
    type = types.attrsOf (types.submodule {
      freeformType = anything;
      options = {
        enabled = mkOption {
          type = types.nullOr types.bool;
          default = null;
          defaultText = literalMD "what the daemon takes: `true`";
          description = "Whether it is told.";
        };
        kind = mkOption {
          type = types.nullOr (types.enum [ "webhook" "ntfy" ]);
          default = null;
          description = "webhook: JSON by POST, with a signature; ntfy: a message to a topic of ntfy.";
        };
        events = mkOption {
          type = types.nullOr (types.listOf (types.enum [ "budget" "backend" "certificate" "disk" "upstream" "break-glass" "audit" "test" ]));
          default = null;
          defaultText = literalMD "what the daemon takes: `[]`";
          description = "What it is told of; empty: everything.";
        };
      };
    });
    default = { };
    description = "Who is told of spent budgets, dead upstreams, full disks and the like, by name.";
  };
  log = {
    level = mkOption {
      type = types.nullOr (types.enum [ "error" "warn" "info" "debug" ]);
      default = null;
      defaultText = literalMD "what the daemon takes: `\"info\"`";
      description = "Lowest level that is written.";
    };
    format = mkOption {
      type = types.nullOr (types.enum [ "json" "text" ]);
      default = null;
      description = "json or text; when absent, text on a terminal and json elsewhere.";
    };
  };
  telemetry = {
    endpoint = mkOption {
      type = types.nullOr (types.strMatching "https?://[^[:space:]/?#@]+([/?][^[:space:]#]*)?");
      default = null;
      example = "http://127.0.0.1:4318";
      description = "Base URL of an OpenTelemetry collector (OTLP/HTTP), such as \"http://127.0.0.1:4318\"; absent: nothing is sent.";
    };
    traces = mkOption {
      type = types.nullOr types.bool;
      default = null;
      defaultText = literalMD "what the daemon takes: `true`";
      description = "Send traces of requests.";
    };
    metrics = mkOption {
      type = types.nullOr types.bool;
      default = null;
      defaultText = literalMD "what the daemon takes: `true`";
      description = "Send metrics.";
    };
    sample = mkOption {
      type = types.nullOr (types.numbers.between 0 1);
      default = null;
      defaultText = literalMD "what the daemon takes: `1`";
      description = "Share of traces that Gate begins and sends; a client that sends traceparent decides for its own.";
    };
    interval = mkOption {
      type = types.nullOr types.str;
      default = null;
      defaultText = literalMD "what the daemon takes: `\"60s\"`";
      example = "10s";
      description = "Time between two sendings of metrics. A duration such as \"10s\".";
    };
    propagate = mkOption {
      type = types.nullOr (types.enum [ "own" "all" "none" ]);
      default = null;
      defaultText = literalMD "what the daemon takes: `\"own\"`";
      description = "Upstreams that are told the trace: own (backends, and what listens on this host), all, or none.";
    };
  };
  secrets = {

  };
}
