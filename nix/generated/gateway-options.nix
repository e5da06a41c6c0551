# Made by "npm run generate"; changes here are lost.
# Options of one gateway: the spec, with the tables gate and gate.server laid open.
{ lib, anything, secretReference, backend, ... }:
let
  inherit (lib) literalMD mkOption types;
in
{
  profile = mkOption {
    type = types.enum [ "desktop" "small-vps" "medium-vps" "large-vps" ];
    default = "desktop";
    description = "Size of the machine; sizes every limit.";
  };
  domain = mkOption {
    type = types.nullOr types.nonEmptyStr;
    default = null;
    description = "Domain of the gateway and its apps.";
  };
  memory = mkOption {
    type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(B|KiB|MiB|GiB|TiB)");
    default = null;
    example = "32MiB";
    description = "Memory the daemon may use; by profile when absent. A size such as \"32MiB\".";
  };
  cache = mkOption {
    type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(B|KiB|MiB|GiB|TiB)");
    default = null;
    example = "32MiB";
    description = "Memory for the database cache; by profile when absent. A size such as \"32MiB\".";
  };
  tls = {
    acme = mkOption {
      type = types.nullOr (types.submodule {
        options = {
          email = mkOption {
            type = types.nonEmptyStr;
            description = "Account address.";
          };
          domains = mkOption {
            type = types.listOf types.nonEmptyStr;
            description = "Names to certify.";
          };
          challenge = mkOption {
            type = types.enum [ "tls-alpn-01" "http-01" "dns-01" ];
            default = "tls-alpn-01";
            example = "*.example.org";
            description = "How control of the names is proven; dns-01 for names such as \"*.example.org\".";
          };
          staging = mkOption {
            type = types.bool;
            default = false;
            description = "Use the staging directory.";
          };
          directory = mkOption {
            type = types.nullOr (types.strMatching "https?://[^[:space:]/?#@]+([/?][^[:space:]#]*)?");
            default = null;
            description = "URL of the ACME directory; Let's Encrypt when absent.";
          };
          ca = mkOption {
            type = types.nullOr types.nonEmptyStr;
            default = null;
            description = "PEM file with the CA that the directory is trusted by, by its absolute path; those of the system when absent.";
          };
          key = mkOption {
            type = types.enum [ "ecdsa" "rsa" ];
            default = "ecdsa";
            description = "Kind of the private keys.";
          };
          eabKid = mkOption {
            type = types.nullOr types.nonEmptyStr;
            default = null;
            description = "Key id of an external account, where the CA asks for one.";
          };
          eabHmac = mkOption {
            type = types.nullOr secretReference;
            default = null;
            example = { file = "/run/secrets/name"; };
            description = "Key of the external account, base64url.";
          };
          dns = mkOption {
            type = types.nullOr (types.submodule {
              options = {
                provider = mkOption {
                  type = types.enum [ "cloudflare" "rfc2136" ];
                  description = "Who changes the zone: the API of Cloudflare, or a name server (RFC 2136).";
                };
                apiToken = mkOption {
                  type = types.nullOr secretReference;
                  default = null;
                  example = { file = "/run/secrets/name"; };
                  description = "Token of the API, which may edit DNS of the zone (cloudflare).";
                };
                api = mkOption {
                  type = types.nullOr (types.strMatching "https?://[^[:space:]/?#@]+([/?][^[:space:]#]*)?");
                  default = null;
                  description = "URL of the API; that of the provider when absent.";
                };
                server = mkOption {
                  type = types.nullOr types.nonEmptyStr;
                  default = null;
                  example = "192.0.2.53:53";
                  description = "Name server that takes updates, such as \"192.0.2.53:53\" (rfc2136).";
                };
                zone = mkOption {
                  type = types.nullOr types.nonEmptyStr;
                  default = null;
                  example = "example.org";
                  description = "Zone that is changed, such as \"example.org\" (rfc2136).";
                };
                keyName = mkOption {
                  type = types.nullOr types.nonEmptyStr;
                  default = null;
                  description = "Name of the TSIG key (rfc2136).";
                };
                keySecret = mkOption {
                  type = types.nullOr secretReference;
                  default = null;
                  example = { file = "/run/secrets/name"; };
                  description = "Secret of the TSIG key, base64 (rfc2136).";
                };
                algorithm = mkOption {
                  type = types.enum [ "hmac-sha256" "hmac-sha384" "hmac-sha512" ];
                  default = "hmac-sha256";
                  description = "Algorithm of the TSIG key (rfc2136).";
                };
              };
            });
            default = null;
            description = "Whose zone the challenge dns-01 writes to.";
          };
        };
      });
      default = null;
      description = "Certificates by ACME; comes first when several ways are set.";
    };
    files = mkOption {
      type = types.nullOr (types.submodule {
        options = {
          cert = mkOption {
            type = types.nonEmptyStr;
            description = "PEM file with the certificate chain.";
          };
          key = mkOption {
            type = types.nonEmptyStr;
            description = "PEM file with the private key.";
          };
        };
      });
      default = null;
      description = "Certificate from files; comes second.";
    };
    internalCa = mkOption {
      type = types.bool;
      default = false;
      description = "Certificates by a CA of this host; comes third. Without any: plain HTTP.";
    };
    host = mkOption {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      description = "Address that https_port and http_port listen on; every address when absent.";
    };
    httpsPort = mkOption {
      type = types.ints.between 1 65535;
      default = 443;
      description = "Port for HTTPS, where there is no [proxy].";
    };
    httpPort = mkOption {
      type = types.either (types.ints.between 1 65535) (types.enum [ "off" ]);
      default = 80;
      description = "Port for redirects to HTTPS and for answers to http-01, where there is no [proxy].";
    };
    names = mkOption {
      type = types.listOf types.nonEmptyStr;
      default = [ ];
      description = "More host names and addresses in the certificate of internal_ca, beside gate.domain and its aliases.";
    };
    hsts = mkOption {
      type = types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)";
      default = "365d";
      example = "10s";
      description = "How long browsers insist on HTTPS, where there is no [proxy]; 0s: no such header. A duration such as \"10s\".";
    };
    alarmWebhook = mkOption {
      type = types.nullOr secretReference;
      default = null;
      example = { file = "/run/secrets/name"; };
      description = "URL that is told of a certificate that could not be renewed. Unless gate.network says otherwise, it may be at any public address.";
    };
  };
  auth = {
    mode = mkOption {
      type = types.either (types.enum [ "token" "password" "device" "oidc" "none" ]) (types.listOf (types.enum [ "token" "password" "device" "oidc" "none" ]));
      default = "token";
      description = "How people sign in; several may be listed, and keys count with each. none: on a loopback address only.";
    };
    token = mkOption {
      type = types.nullOr secretReference;
      default = null;
      example = { file = "/run/secrets/name"; };
      description = "System token with every scope; made at first start when absent.";
    };
    username = mkOption {
      type = types.nonEmptyStr;
      default = "admin";
      description = "Name of the user whose password is password_hash.";
    };
    passwordHash = mkOption {
      type = types.nullOr secretReference;
      default = null;
      example = { file = "/run/secrets/name"; };
      description = "Password of an administrator, as `gatectl auth hash-password` prints it.";
    };
    jwt = {
      secret = mkOption {
        type = types.nullOr secretReference;
        default = null;
        example = { file = "/run/secrets/name"; };
        description = "Signs short access tokens, best 32 random characters; made and kept when absent.";
      };
      issuer = mkOption {
        type = types.nonEmptyStr;
        default = "gate";
        description = "Issuer of access tokens.";
      };
      expirationHours = mkOption {
        type = types.numbers.positive;
        default = 24;
        description = "Life of a login session. In hours.";
      };
    };
    proxy = {
      from = mkOption {
        type = types.listOf types.nonEmptyStr;
        default = [ ];
        description = "Reverse proxies that sign users in and name them in headers; empty: none. One of this host must be written as its loopback address.";
      };
      userHeader = mkOption {
        type = types.nonEmptyStr;
        default = "x-forwarded-user";
        description = "Header that names the user.";
      };
      emailHeader = mkOption {
        type = types.nonEmptyStr;
        default = "x-forwarded-email";
        description = "Header with the user's address for e-mail.";
      };
      groupsHeader = mkOption {
        type = types.nonEmptyStr;
        default = "x-forwarded-groups";
        description = "Header with the user's groups, between commas.";
      };
      roles = mkOption {
        type = types.listOf (types.submodule {
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
        });
        default = [ ];
        description = "Role for the members of a group, the first that fits; users in none of them are members.";
      };
    };
    tailscale = {
      tailnets = mkOption {
        type = types.listOf types.nonEmptyStr;
        default = [ ];
        description = "Tailnets whose users are signed in by their address, such as \"tail1234.ts.net\"; empty: none.";
      };
    };
    oidc = mkOption {
      type = types.attrsOf (types.submodule {
        options = {
          issuer = mkOption {
            type = types.strMatching "(https://[^[:space:]/?#@]+|http://(localhost|127\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}|\\[::1])(:[0-9]{1,5})?)(/[^[:space:]?#]*)?";
            description = "Issuer URL of the identity provider.";
          };
          clientId = mkOption {
            type = types.nonEmptyStr;
            description = "Client id registered there.";
          };
          clientSecret = mkOption {
            type = types.nullOr secretReference;
            default = null;
            example = { file = "/run/secrets/name"; };
            description = "Client secret; a public client when absent.";
          };
          scopes = mkOption {
            type = types.nonEmptyStr;
            default = "openid email profile";
            description = "What the provider is asked for.";
          };
          claim = mkOption {
            type = types.nonEmptyStr;
            default = "groups";
            description = "Claim with the groups of a person; dots lead into others: \"realm_access.roles\".";
          };
          roles = mkOption {
            type = types.listOf (types.submodule {
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
            });
            default = [ ];
            description = "Role for the members of a group, the first that fits; without any, roles are managed in Gate.";
          };
          otherwise = mkOption {
            type = types.enum [ "admin" "member" "viewer" "none" ];
            default = "member";
            description = "Role of people in none of the groups; none: they are not let in.";
          };
        };
      });
      default = { };
      description = "Identity providers (OpenID Connect) that people sign in with, by name.";
    };
  };
  discovery = {
    enabled = mkOption {
      type = types.nullOr types.bool;
      default = null;
      description = "Look for engines on loopback and use what answers; false when absent.";
    };
    interval = mkOption {
      type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
      default = null;
      example = "10s";
      description = "Time between two searches; 30s when absent. A duration such as \"10s\".";
    };
  };
  network = {
    allow = mkOption {
      type = types.listOf types.nonEmptyStr;
      default = [ ];
      description = "Where the daemon may connect to, beside the upstreams of the spec: addresses and CIDR ranges, \"internet\" (every public address), \"any\".";
    };
    resolvers = mkOption {
      type = types.listOf types.nonEmptyStr;
      default = [ ];
      description = "Addresses of the name servers of this host; empty: port 53 of any address may be asked.";
    };
  };
  managed = {
    claudeCode = mkOption {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      description = "Managed settings that Claude Code takes over once it has signed in, as a JSON object.";
    };
  };
  usage = {
    retention = mkOption {
      type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
      default = null;
      example = "10s";
      description = "How long the usage log has a row for each request; 90d when absent. A duration such as \"10s\".";
    };
    totalsRetention = mkOption {
      type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
      default = null;
      example = "10s";
      description = "How long usage by hour and day is kept; 1825d when absent. A duration such as \"10s\".";
    };
    keepText = {
      keys = mkOption {
        type = types.listOf types.nonEmptyStr;
        default = [ ];
        description = "Ids or names of keys whose prompts and answers are kept.";
      };
      models = mkOption {
        type = types.listOf types.nonEmptyStr;
        default = [ ];
        description = "Models, as clients ask for them, whose prompts and answers are kept.";
      };
    };
    textRetention = mkOption {
      type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
      default = null;
      example = "10s";
      description = "How long prompts and answers are kept; 7d when absent. A duration such as \"10s\".";
    };
  };
  log = {
    level = mkOption {
      type = types.enum [ "error" "warn" "info" "debug" ];
      default = "info";
      description = "Lowest level that is written.";
    };
    format = mkOption {
      type = types.nullOr (types.enum [ "json" "text" ]);
      default = null;
      description = "Form of a line; json under systemd.";
    };
  };
  telemetry = {
    endpoint = mkOption {
      type = types.nullOr (types.strMatching "https?://[^[:space:]/?#@]+([/?][^[:space:]#]*)?");
      default = null;
      example = "http://127.0.0.1:4318";
      description = "Base URL of an OpenTelemetry collector (OTLP/HTTP), such as \"http://127.0.0.1:4318\"; absent: nothing is sent.";
    };
    headers = mkOption {
      type = types.nullOr secretReference;
      default = null;
      example = { file = "/run/secrets/name"; };
      description = "Headers for the collector: name=value pairs with commas between, values percent-encoded.";
    };
    traces = mkOption {
      type = types.bool;
      default = true;
      description = "Send traces of requests.";
    };
    metrics = mkOption {
      type = types.bool;
      default = true;
      description = "Send metrics.";
    };
    sample = mkOption {
      type = types.numbers.between 0 1;
      default = 1;
      description = "Share of traces that Gate begins and sends; a client that sends traceparent decides for its own.";
    };
    interval = mkOption {
      type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
      default = null;
      example = "10s";
      description = "Time between two sendings of metrics; 60s when absent. A duration such as \"10s\".";
    };
    propagate = mkOption {
      type = types.enum [ "own" "all" "none" ];
      default = "own";
      description = "Upstreams that are told the trace: own (backends, and what listens on this host), all, or none.";
    };
  };
  secrets = {
    encryptionKey = mkOption {
      type = types.nullOr secretReference;
      default = null;
      example = { file = "/run/secrets/name"; };
      description = "Opens keyring.json, whose keys seal what is secret at rest; a file of the state directory does when absent.";
    };
    previousKey = mkOption {
      type = types.nullOr secretReference;
      default = null;
      example = { file = "/run/secrets/name"; };
      description = "What encryption_key was before, for the start after it was changed.";
    };
  };
  host = mkOption {
    type = types.nonEmptyStr;
    default = "127.0.0.1";
    description = "Address to listen on.";
  };
  port = mkOption {
    type = types.either (types.ints.between 1 65535) (types.enum [ "random" ]);
    default = 3000;
    description = "TCP port; \"random\" picks one in 49152-65535 once and keeps it in gate.lock.json.";
  };
  p2pPort = mkOption {
    type = types.either (types.ints.between 1 65535) (types.enum [ "random" ]);
    default = 41147;
    description = "Port for peers; \"random\" as above.";
  };
  allowFrom = mkOption {
    type = types.listOf types.nonEmptyStr;
    default = [ ];
    description = "Client addresses that may connect; empty: all.";
  };
  adminAllowFrom = mkOption {
    type = types.listOf types.nonEmptyStr;
    default = [ ];
    description = "Narrower list for the routes of operators; empty: allow_from.";
  };
  trustedProxies = mkOption {
    type = types.listOf types.nonEmptyStr;
    default = [ ];
    description = "Reverse proxies whose X-Forwarded-For is believed, beside the proxy of this spec.";
  };
  proxyProtocol = mkOption {
    type = types.bool;
    default = false;
    description = "Connections from trusted_proxies begin with a PROXY header, version 1 or 2; for a gateway without [proxy].";
  };
  externalUrl = mkOption {
    type = types.nullOr (types.strMatching "https?://([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\\[[0-9a-f:.]+])(:[0-9]{1,5})?");
    default = null;
    example = "https://ai.example.org";
    description = "Where clients reach the gateway, such as \"https://ai.example.org\": what redirects, cookies and links are made of; by domain and TLS when absent.";
  };
  allowedOrigins = mkOption {
    type = types.listOf types.nonEmptyStr;
    default = [ ];
    description = "Origins of web pages, such as \"https://app.example.org\", whose scripts may ask; empty: none (CORS is off).";
  };
  allowedHosts = mkOption {
    type = types.listOf types.nonEmptyStr;
    default = [ ];
    description = "Host names that requests may ask for; empty: any (with auth.mode none: loopback names).";
  };
  maxBody = mkOption {
    type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(B|KiB|MiB|GiB|TiB)");
    default = null;
    example = "32MiB";
    description = "Largest request body; by profile when absent. A size such as \"32MiB\".";
  };
  maxBuffered = mkOption {
    type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(B|KiB|MiB|GiB|TiB)");
    default = null;
    example = "32MiB";
    description = "Request bodies and buffered answers in memory at once; by profile when absent. A size such as \"32MiB\".";
  };
  maxConnections = mkOption {
    type = types.nullOr (types.ints.between 1 500000);
    default = null;
    description = "Open connections; by profile when absent.";
  };
  maxConnectionsPerAddress = mkOption {
    type = types.nullOr (types.ints.between 1 500000);
    default = null;
    description = "Open connections of one address (IPv6: of a /64), and how many it may begin in two seconds; this host and trusted_proxies are not counted; 256 when absent.";
  };
  maxConcurrent = mkOption {
    type = types.nullOr (types.ints.between 1 500000);
    default = null;
    description = "Requests in flight; by profile when absent.";
  };
  headersTimeout = mkOption {
    type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
    default = null;
    example = "10s";
    description = "Longest wait for the headers of a request; 5s when absent. A duration such as \"10s\".";
  };
  bodyTimeout = mkOption {
    type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
    default = null;
    example = "10s";
    description = "Longest wait for the whole request; 60s when absent. A duration such as \"10s\".";
  };
  stallTimeout = mkOption {
    type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
    default = null;
    example = "10s";
    description = "Longest time a client may stop reading its response; 60s when absent. A duration such as \"10s\".";
  };
  drainTimeout = mkOption {
    type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
    default = null;
    example = "10s";
    description = "Longest wait for requests in flight when stopping; 30s when absent. A duration such as \"10s\".";
  };
  openFirewall = mkOption {
    type = types.bool;
    default = false;
    description = "Open port, p2p_port and the ports of proxy, dns and client on every interface.";
  };
  openFirewallOnInterfaces = mkOption {
    type = types.listOf (types.strMatching "[A-Za-z0-9_.@-]{1,15}");
    default = [ ];
    description = "Open the same ports on these interfaces only.";
  };
  backends = mkOption {
    type = types.attrsOf (types.submodule [ backend {
      options = {
        engine = mkOption {
          type = types.enum [ "vllm" "llama-cpp" "ollama" "tei" "infinity" "whisper-cpp" "open-webui" "custom" ];
          description = "What runs in the container; decides arguments, health check, socket.";
        };
        image = mkOption {
          type = types.strMatching "[a-z0-9][A-Za-z0-9._-]*(:[0-9]+)?(/[a-z0-9][a-z0-9._-]*)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?";
          description = "Container image, by digest; a tag is a warning.";
        };
        imageArchive = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "OCI or docker archive on the host that apply loads the image from, instead of a pull.";
        };
        model = mkOption {
          type = types.nullOr (types.strMatching "[A-Za-z0-9][A-Za-z0-9._:+-]*(/[A-Za-z0-9][A-Za-z0-9._:+-]*)*");
          default = null;
          description = "Model to serve: a path below the models directory, and the name clients see. Of a GGUF in parts, the first: the others come with it.";
        };
        files = mkOption {
          type = types.attrsOf (types.strMatching "[A-Za-z0-9][A-Za-z0-9._+-]*(/[A-Za-z0-9][A-Za-z0-9._+-]*)*");
          default = { };
          description = "More files and directories below the models directory, by a name that you choose: {name} in args and environment stands for the path inside.";
        };
        hub = mkOption {
          type = types.nullOr (types.submodule {
            options = {
              token = mkOption {
                type = types.nullOr secretReference;
                default = null;
                example = { file = "/run/secrets/name"; };
                description = "Token of the hub, for models that want one; HF_TOKEN inside.";
              };
            };
          });
          default = null;
          description = "The engine fetches model by itself at its start, into a volume that lasts, and may reach the internet for that. {} for a model that anyone may have.";
        };
        router = mkOption {
          type = types.nullOr (types.submodule {
            options = {
              directory = mkOption {
                type = types.nullOr (types.strMatching "[A-Za-z0-9][A-Za-z0-9._+-]*(/[A-Za-z0-9][A-Za-z0-9._+-]*)*");
                default = null;
                description = "Directory below the models directory; all of it when absent.";
              };
              presets = mkOption {
                type = types.nullOr types.nonEmptyStr;
                default = null;
                description = "File of the host with settings for each model (--models-preset).";
              };
              maxLoaded = mkOption {
                type = types.nullOr (types.ints.between 1 64);
                default = null;
                description = "Models that are loaded at a time.";
              };
            };
          });
          default = null;
          description = "llama-cpp, in place of model: serve every model of a directory, loaded when it is asked for.";
        };
        gpu = {
          kind = mkOption {
            type = types.enum [ "nvidia" "amd" "vulkan" "none" ];
            default = "none";
            description = "nvidia: by CDI; amd: /dev/kfd and /dev/dri; vulkan: /dev/dri; none.";
          };
          devices = mkOption {
            type = types.listOf types.nonEmptyStr;
            default = [ "all" ];
            description = "nvidia: CDI names (\"0\", a UUID, \"all\"); amd, vulkan: names in /dev/dri, or \"all\".";
          };
        };
        idleStop = mkOption {
          type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
          default = null;
          example = "10s";
          description = "Stop after this long without a connection and start on the next one; absent: always on. A duration such as \"10s\".";
        };
        group = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "At most one backend of a group runs at a time, except those with the same together; its members start on demand, with or without idle_stop.";
        };
        together = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "Backends of its group with the same word run side by side, and give way to others as one.";
        };
        priority = mkOption {
          type = types.ints.between 0 100;
          default = 0;
          description = "Within its group, requests for the backend with the highest priority are served first.";
        };
        preload = mkOption {
          type = types.bool;
          default = false;
          description = "Start it with the host, before the first request; for idle_stop and group.";
        };
        maxConcurrent = mkOption {
          type = types.nullOr (types.ints.between 1 1000000);
          default = null;
          description = "Requests that it answers at a time, others wait; no limit when absent.";
        };
        maxWaiting = mkOption {
          type = types.ints.between 1 1000000;
          default = 100;
          description = "Requests that may wait for it; more are refused.";
        };
        waitTimeout = mkOption {
          type = types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)";
          default = "120s";
          example = "10s";
          description = "Longest wait for a free place, or until another backend of the group has finished its requests. A duration such as \"10s\".";
        };
        pricePerHour = mkOption {
          type = types.nullOr (types.strMatching "[0-9]{1,9}(\\.[0-9]{1,6})? USD");
          default = null;
          description = "What an hour costs in which it answers requests, which share it; its idle time costs nothing. Absent: nothing.";
        };
        memory = mkOption {
          type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(B|KiB|MiB|GiB|TiB)");
          default = null;
          example = "32MiB";
          description = "Memory the container may use; no limit when absent. A size such as \"32MiB\".";
        };
        cpus = mkOption {
          type = types.nullOr (types.numbers.between 0.01 1024);
          default = null;
          description = "CPU share; no limit when absent. In CPUs.";
        };
        pids = mkOption {
          type = types.ints.between 16 4194304;
          default = 4096;
          description = "Processes and threads the container may have.";
        };
        shm = mkOption {
          type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(B|KiB|MiB|GiB|TiB)");
          default = null;
          example = "32MiB";
          description = "Size of /dev/shm; by engine when absent. A size such as \"32MiB\".";
        };
        uid = mkOption {
          type = types.nullOr (types.ints.between 1000 59999);
          default = null;
          description = "User id; allocated in gate.lock.json when absent.";
        };
        listen = mkOption {
          type = types.nullOr (types.enum [ "unix" "tcp" ]);
          default = null;
          description = "Unix socket in a directory of its own, or a TCP port that only its own network has; by engine when absent. The gateway reaches either by a Unix socket.";
        };
        port = mkOption {
          type = types.nullOr (types.either (types.ints.between 1 65535) (types.enum [ "random" ]));
          default = null;
          description = "Loopback port on the host, for other programs: any local user can call it, and only the backend answers there. Absent: none; expose, links of others and open-webui get a random one.";
        };
        containerPort = mkOption {
          type = types.nullOr (types.ints.between 1 65535);
          default = null;
          description = "Port inside the container; by engine when absent.";
        };
        network = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the container may reach the internet and the gateway.";
        };
        links = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Backends that it reaches at NAME:PORT, with the port of that backend; {NAME} in args and environment stands for that. Needs network.";
        };
        apiKey = mkOption {
          type = types.nullOr secretReference;
          default = null;
          example = { file = "/run/secrets/name"; };
          description = "Key the daemon presents; made at apply when absent and the engine can check one.";
        };
        expose = mkOption {
          type = types.nullOr (types.strMatching "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
          default = null;
          description = "Host name below gate.domain under which the proxy serves this backend to browsers.";
        };
        args = mkOption {
          type = types.listOf types.nonEmptyStr;
          default = [ ];
          description = "More arguments of the engine. What they name below /models is mounted. custom: {socket}, {port} and {model} are filled in.";
        };
        environment = mkOption {
          type = types.attrsOf types.str;
          default = { };
          description = "More environment of the container. Never a secret: it can be read from outside.";
        };
        secrets = mkOption {
          type = types.attrsOf secretReference;
          default = { };
          description = "Environment of the container that is secret, by name.";
        };
        volumes = mkOption {
          type = types.listOf (types.submodule {
            options = {
              name = mkOption {
                type = types.strMatching "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
                description = "Name of the volume inside its backend.";
              };
              path = mkOption {
                type = types.nonEmptyStr;
                description = "Where the container sees it.";
              };
            };
          });
          default = [ ];
          description = "More volumes that survive the container.";
        };
        mounts = mkOption {
          type = types.listOf (types.submodule {
            options = {
              source = mkOption {
                type = types.nonEmptyStr;
                description = "File or directory of the host.";
              };
              path = mkOption {
                type = types.nullOr types.nonEmptyStr;
                default = null;
                description = "Where the container sees it; the same path when absent.";
              };
              readOnly = mkOption {
                type = types.bool;
                default = true;
                description = "Whether the container may only read it.";
              };
              relabel = mkOption {
                type = types.nullOr (types.enum [ "shared" "private" ]);
                default = null;
                description = "SELinux: give it a label that containers may read, all (shared) or this one (private). Never by itself.";
              };
            };
          });
          default = [ ];
          description = "Files and directories of the host, read-only by default.";
        };
        configFiles = mkOption {
          type = types.listOf (types.submodule {
            options = {
              path = mkOption {
                type = types.nonEmptyStr;
                description = "Where the container sees it, read-only.";
              };
              text = mkOption {
                type = types.nullOr types.str;
                default = null;
                description = "What it says; the one text that may have several lines. Never a secret: all users can read it.";
              };
              source = mkOption {
                type = types.nullOr types.nonEmptyStr;
                default = null;
                description = "File of the host with what it says, in place of text.";
              };
            };
          });
          default = [ ];
          description = "Files that the spec itself holds or names.";
        };
        user = mkOption {
          type = types.nullOr (types.enum [ "engine" "image" ]);
          default = null;
          description = "Who runs inside, without rights outside either way: user 1000 (engine), or the user of the image, root included (image); by engine when absent.";
        };
        ulimits = {
          memlock = mkOption {
            type = types.nullOr (types.either (types.strMatching "([0-9]+(\\.[0-9]+)?)(B|KiB|MiB|GiB|TiB)") (types.enum [ "unlimited" ]));
            default = null;
            description = "Memory that it may lock, as for --mlock.";
          };
          nofile = mkOption {
            type = types.nullOr (types.ints.between 64 1048576);
            default = null;
            description = "Files and connections that a process may have open.";
          };
          stack = mkOption {
            type = types.nullOr (types.either (types.strMatching "([0-9]+(\\.[0-9]+)?)(B|KiB|MiB|GiB|TiB)") (types.enum [ "unlimited" ]));
            default = null;
            description = "Size of the stack of a process.";
          };
        };
        timeZone = mkOption {
          type = types.nullOr (types.strMatching "[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,3}");
          default = null;
          example = "Europe/Berlin";
          description = "Time zone inside, such as \"Europe/Berlin\"; \"local\": that of the host. UTC when absent.";
        };
        readOnly = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the root file system of the container is read-only.";
        };
        notify = mkOption {
          type = types.enum [ "healthy" "started" ];
          default = "healthy";
          description = "When the unit counts as started: at the first successful health check, or at once.";
        };
        health = {
          command = mkOption {
            type = types.nullOr (types.listOf types.str);
            default = null;
            description = "Command and arguments that succeed once the engine answers; by engine when absent.";
          };
          interval = mkOption {
            type = types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)";
            default = "30s";
            example = "10s";
            description = "Time between two checks of an engine that runs. When retries in a row fail, it is killed and started again. A duration such as \"10s\".";
          };
          startInterval = mkOption {
            type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
            default = null;
            example = "10s";
            description = "Time between two checks until the first that succeeds; 2s when absent, or interval when that is less. A duration such as \"10s\".";
          };
          timeout = mkOption {
            type = types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)";
            default = "5s";
            example = "10s";
            description = "Longest wait for one check. A duration such as \"10s\".";
          };
          retries = mkOption {
            type = types.ints.between 1 1000;
            default = 3;
            description = "Failures in a row until unhealthy.";
          };
          startPeriod = mkOption {
            type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
            default = null;
            example = "10s";
            description = "Longest time until the first check that succeeds; by engine when absent. A duration such as \"10s\".";
          };
        };
        pullTimeout = mkOption {
          type = types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)";
          default = "0s";
          example = "10s";
          description = "Time a pull may take at start; 0s: never pulled at start, apply does it before. A duration such as \"10s\".";
        };
        startTimeout = mkOption {
          type = types.nullOr (types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)");
          default = null;
          example = "10s";
          description = "Longest start; health.start_period + pull_timeout + 60s when absent. A duration such as \"10s\".";
        };
        stopTimeout = mkOption {
          type = types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)";
          default = "30s";
          example = "10s";
          description = "Time to finish requests when stopping. A duration such as \"10s\".";
        };
      };
    } ]);
    default = { };
    description = "Local engines, by name: each one unprivileged user with one rootless container.";
  };
  models = mkOption {
    type = types.attrsOf (types.submodule {
      options = {
        category = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "Category; usable as a model name.";
        };
        targets = mkOption {
          type = types.listOf (types.either types.nonEmptyStr (types.submodule {
            options = {
              backend = mkOption {
                type = types.nullOr types.str;
                default = null;
                description = "Name of a backend.";
              };
              upstream = mkOption {
                type = types.nullOr types.str;
                default = null;
                description = "Name of an upstream.";
              };
              alias = mkOption {
                type = types.nullOr types.str;
                default = null;
                description = "Name of another virtual model.";
              };
              model = mkOption {
                type = types.nullOr types.nonEmptyStr;
                default = null;
                description = "Id sent there; the alias itself, or the model of the backend.";
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
          }));
          description = "Where requests go: texts such as \"openai/gpt-5\", or tables with backend, upstream or alias, and model and weight.";
        };
        strategy = mkOption {
          type = types.enum [ "fallback" "weighted" "latency" "cost" ];
          default = "fallback";
          description = "fallback: in order; weighted: by share; latency: the faster of two; cost: the cheapest first.";
        };
        affinity = mkOption {
          type = types.enum [ "session" "none" ];
          default = "session";
          description = "session: requests of one session go to the same target while it is well, where prompts are cached.";
        };
        failover = mkOption {
          type = types.enum [ "before-content" "mid-stream" ];
          default = "before-content";
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
      };
    });
    default = { };
    description = "Virtual models, by the name that clients ask for.";
  };
  categories = mkOption {
    type = types.attrsOf (types.submodule {
      options = {
        description = mkOption {
          type = types.str;
          default = "";
          description = "What its models are for.";
        };
      };
    });
    default = { };
    description = "Categories of virtual models that have a description, or no models yet, by name.";
  };
  budgets = mkOption {
    type = types.attrsOf (types.submodule {
      options = {
        limit = mkOption {
          type = types.strMatching "[0-9]{1,9}(\\.[0-9]{1,6})? USD";
          description = "Money per window.";
        };
        window = mkOption {
          type = types.enum [ "hour" "day" "week" "month" ];
          description = "Calendar window, in the zone.";
        };
        zone = mkOption {
          type = types.strMatching "(UTC|[A-Z][A-Za-z]{1,31}(/[A-Za-z0-9_+-]{1,31}){1,2})";
          default = "UTC";
          example = "Europe/Berlin";
          description = "Time zone in which the window begins, such as \"Europe/Berlin\".";
        };
        scope = mkOption {
          type = types.nonEmptyStr;
          default = "global";
          description = "Whose spending it counts: global; key:NAME, user:NAME, team:NAME, model:NAME or provider:NAME; each-key, each-user, each-team, each-model or each-provider; attached: the keys that name it.";
        };
        soft = mkOption {
          type = types.bool;
          default = false;
          description = "Once it is spent, requests are warned of it, and go on.";
        };
        overdraft = mkOption {
          type = types.strMatching "[0-9]{1,9}(\\.[0-9]{1,6})? USD";
          default = "0 USD";
          description = "What may be spent beyond the limit before requests are refused.";
        };
        unknownPrice = mkOption {
          type = types.enum [ "count-as-0" "refuse" ];
          default = "count-as-0";
          description = "What becomes of requests to models whose price is not known.";
        };
      };
    });
    default = { };
    description = "Money that requests may cost per window, by name.";
  };
  limits = mkOption {
    type = types.attrsOf (types.submodule {
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
          type = types.nonEmptyStr;
          default = "each-key";
          description = "Whose requests it counts: global; key:NAME, user:NAME, team:NAME or model:NAME; each-key, each-user, each-team, each-model or each-ip; attached: the keys that name it.";
        };
      };
    });
    default = { };
    description = "How many requests and tokens there may be per minute, and at a time, by name.";
  };
  alerts = mkOption {
    type = types.attrsOf (types.submodule {
      options = {
        enabled = mkOption {
          type = types.bool;
          default = true;
          description = "Whether it is told.";
        };
        kind = mkOption {
          type = types.enum [ "webhook" "ntfy" ];
          description = "webhook: JSON by POST, with a signature; ntfy: a message to a topic of ntfy.";
        };
        url = mkOption {
          type = types.nullOr secretReference;
          default = null;
          example = { file = "/run/secrets/name"; };
          description = "URL of the webhook, or of the topic of ntfy. Unless gate.network says otherwise, it may be at any public address.";
        };
        secret = mkOption {
          type = types.nullOr secretReference;
          default = null;
          example = { file = "/run/secrets/name"; };
          description = "What the signature of a webhook is made with, 16 characters or more; a webhook needs one.";
        };
        token = mkOption {
          type = types.nullOr secretReference;
          default = null;
          example = { file = "/run/secrets/name"; };
          description = "Access token of ntfy.";
        };
        events = mkOption {
          type = types.listOf (types.enum [ "budget" "backend" "certificate" "disk" "upstream" "break-glass" "audit" "test" ]);
          default = [ ];
          description = "What it is told of; empty: everything.";
        };
      };
    });
    default = { };
    description = "Who is told of spent budgets, dead upstreams, full disks and the like, by name.";
  };
  proxy = {
    engine = mkOption {
      type = types.enum [ "nginx" "caddy" "none" ];
      default = "none";
      description = "Reverse proxy in front of the gateway.";
    };
    httpPort = mkOption {
      type = types.ints.between 1 65535;
      default = 80;
      description = "Port for HTTP; redirects to HTTPS when there is TLS.";
    };
    httpsPort = mkOption {
      type = types.ints.between 1 65535;
      default = 443;
      description = "Port for HTTPS.";
    };
    aliases = mkOption {
      type = types.listOf (types.strMatching "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
      default = [ ];
      description = "More host names below gate.domain that point to the gateway.";
    };
    hsts = mkOption {
      type = types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)";
      default = "365d";
      example = "10s";
      description = "How long browsers insist on HTTPS; 0s: no such header. A duration such as \"10s\".";
    };
  };
  dns = {
    engine = mkOption {
      type = types.enum [ "dnsmasq" "none" ];
      default = "none";
      description = "Name server for the names of the domain.";
    };
    listen = mkOption {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      description = "Interface or address to answer on, and that the names point to.";
    };
    port = mkOption {
      type = types.ints.between 1 65535;
      default = 53;
      description = "UDP and TCP port.";
    };
    forward = mkOption {
      type = types.listOf types.nonEmptyStr;
      default = [ ];
      description = "Name servers for all other names; empty: other names are refused.";
    };
  };
  relay = {
    enable = mkOption {
      type = types.bool;
      default = false;
      description = "Make the gateway reachable through relays.";
    };
    addresses = mkOption {
      type = types.listOf types.nonEmptyStr;
      default = [ ];
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
      type = types.listOf types.nonEmptyStr;
      default = [ ];
      description = "Host names of your own that point to the relay; a TXT record at _gate-relay.NAME with the node id proves each.";
    };
    invite = mkOption {
      type = types.nullOr secretReference;
      default = null;
      example = { file = "/run/secrets/name"; };
      description = "Invitation of the relay, where it wants one for a name.";
    };
    pins = mkOption {
      type = types.listOf (types.strMatching "[A-Za-z0-9+/]{43}=");
      default = [ ];
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
      type = types.listOf (types.submodule {
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
      });
      default = [ ];
      description = "Local servers with certificates of their own that visitors of their names are passed on to.";
    };
  };
  peers = mkOption {
    type = types.attrsOf (types.submodule {
      options = {
        node = mkOption {
          type = types.strMatching "[a-z2-7]{32}";
          description = "Node id of the other gateway; no other key is taken for it.";
        };
        addresses = mkOption {
          type = types.listOf types.nonEmptyStr;
          default = [ ];
          description = "Where it can be reached directly, as host:port of its p2p_port; tried first.";
        };
        relays = mkOption {
          type = types.listOf types.nonEmptyStr;
          default = [ ];
          description = "Its names at relays, as name:port; tried when the direct way fails.";
        };
      };
    });
    default = { };
    description = "Other gateways, by name: those that may connect here, and those whose models are used.";
  };
  sandbox = {
    enable = mkOption {
      type = types.bool;
      default = false;
      description = "Whether models may run code.";
    };
    runtime = mkOption {
      type = types.enum [ "podman" "wasm" "none" ];
      default = "podman";
      description = "What isolates the code.";
    };
    allowUnisolated = mkOption {
      type = types.bool;
      default = false;
      description = "Needed for runtime = \"none\": code then runs on the host.";
    };
    image = mkOption {
      type = types.nullOr (types.strMatching "[a-z0-9][A-Za-z0-9._-]*(:[0-9]+)?(/[a-z0-9][a-z0-9._-]*)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?");
      default = null;
      description = "Image for runtime = \"podman\", by digest.";
    };
    timeout = mkOption {
      type = types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)";
      default = "30s";
      example = "10s";
      description = "Longest run. A duration such as \"10s\".";
    };
    memory = mkOption {
      type = types.strMatching "([0-9]+(\\.[0-9]+)?)(B|KiB|MiB|GiB|TiB)";
      default = "256MiB";
      example = "32MiB";
      description = "Memory of one run. A size such as \"32MiB\".";
    };
    cpus = mkOption {
      type = types.numbers.between 0.01 64;
      default = 0.5;
      description = "CPU share of one run. In CPUs.";
    };
    network = mkOption {
      type = types.bool;
      default = false;
      description = "Whether the code may reach the internet.";
    };
    languages = mkOption {
      type = types.listOf (types.enum [ "python" "javascript" "bash" ]);
      default = [ "python" "javascript" "bash" ];
      description = "Languages that may run.";
    };
  };
  client = {
    enable = mkOption {
      type = types.bool;
      default = false;
      description = "Make an installer for clients: trust in the CA, and split DNS.";
    };
    ca = mkOption {
      type = types.nullOr types.nonEmptyStr;
      default = null;
      description = "PEM file with the CA to trust; that of tls.internal_ca when absent.";
    };
    port = mkOption {
      type = types.ints.between 1 65535;
      default = 8081;
      description = "Port on which the proxy hands out the installer, over HTTP.";
    };
  };
}
