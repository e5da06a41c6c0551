# Made by "npm run generate"; changes here are lost.
# Options of one relay server.
{ lib, anything, secretReference, ... }:
let
  inherit (lib) literalMD mkOption types;
in
{
  httpsPort = mkOption {
    type = types.ints.between 1 65535;
    default = 443;
    description = "Port for visitors.";
  };
  p2pPort = mkOption {
    type = types.ints.between 1 65535;
    default = 31145;
    description = "Port for nodes.";
  };
  metricsPort = mkOption {
    type = types.nullOr (types.ints.between 1 65535);
    default = null;
    description = "Loopback port for metrics; none when absent.";
  };
  bindAddress = mkOption {
    type = types.nonEmptyStr;
    default = "::";
    description = "Address to listen on.";
  };
  logLevel = mkOption {
    type = types.enum [ "error" "warn" "info" "debug" ];
    default = "info";
    description = "Least important level.";
  };
  domainSuffix = mkOption {
    type = types.nullOr types.nonEmptyStr;
    default = null;
    description = "Nodes become <name>.<domain_suffix>.";
  };
  allowFrom = mkOption {
    type = types.listOf types.nonEmptyStr;
    default = [ ];
    description = "Addresses that may connect; empty: all.";
  };
  trustedProxies = mkOption {
    type = types.listOf types.nonEmptyStr;
    default = [ ];
    description = "Addresses whose connections begin with a PROXY header, and must.";
  };
  publicAddress = mkOption {
    type = types.nullOr types.nonEmptyStr;
    default = null;
    description = "host:port of this relay alone, for nodes and other relays; its host name when absent.";
  };
  invite = mkOption {
    type = types.nullOr (types.submodule {
      options = {
        required = mkOption {
          type = types.bool;
          default = false;
          description = "Whether a name is given for an invite only.";
        };
      };
    });
    default = null;
    description = "Who may claim names.";
  };
  registry = mkOption {
    type = types.nullOr (types.submodule {
      options = {
        kind = mkOption {
          type = types.enum [ "file" "etcd" ];
          default = "file";
          description = "file: this relay is alone. etcd: several relays serve one domain. A change takes effect at the next restart.";
        };
        path = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "File of kind \"file\"; registry.json in the state directory when absent. A change takes effect at the next restart.";
        };
        endpoints = mkOption {
          type = types.listOf (types.strMatching "https?://[^[:space:]/?#@]+([/?][^[:space:]#]*)?");
          default = [ ];
          description = "etcd, such as [\"https://10.0.0.1:2379\"]; asked in turn. A change takes effect at the next restart.";
        };
        caFile = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "PEM file with the CA of etcd; the system's when absent. A change takes effect at the next restart.";
        };
        certFile = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "PEM file with a client certificate for etcd. A change takes effect at the next restart.";
        };
        keyFile = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "PEM file with its key. A change takes effect at the next restart.";
        };
        user = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "User of etcd. A change takes effect at the next restart.";
        };
        password = mkOption {
          type = types.nullOr secretReference;
          default = null;
          example = { file = "/run/secrets/name"; };
          description = "Password of that user.";
        };
      };
    });
    default = null;
    description = "Where names are kept; a file of its own when absent.";
  };
  limits = mkOption {
    type = types.nullOr (types.submodule {
      options = {
        visitors = mkOption {
          type = types.ints.positive;
          default = 20000;
          description = "Visitors at once.";
        };
        unparsed = mkOption {
          type = types.ints.positive;
          default = 1024;
          description = "Connections that have not said yet what they want; the oldest gives way.";
        };
        openPerAddress = mkOption {
          type = types.ints.positive;
          default = 100;
          description = "Connections of one IPv4 address or IPv6 /64 at once; of its network (/24, /48) eight times as many.";
        };
        burstPerAddress = mkOption {
          type = types.ints.positive;
          default = 60;
          description = "Connections that one address may begin at once; its network eight times as many.";
        };
        newPerAddressPerSecond = mkOption {
          type = types.ints.positive;
          default = 20;
          description = "Connections that one address may begin in a second after that; its network eight times as many.";
        };
        tunnels = mkOption {
          type = types.ints.positive;
          default = 4096;
          description = "Tunnels of nodes at once.";
        };
        tunnelsPerNode = mkOption {
          type = types.ints.positive;
          default = 4;
          description = "Tunnels of one node at once.";
        };
        tunnelsPerAddress = mkOption {
          type = types.ints.positive;
          default = 32;
          description = "Tunnels from one IPv4 address or IPv6 /64 at once; from its network (/24, /48) eight times as many.";
        };
        registrationsPerMinute = mkOption {
          type = types.ints.positive;
          default = 6;
          description = "Tunnels that one node may begin in a minute.";
        };
        streamsPerNode = mkOption {
          type = types.ints.positive;
          default = 1000;
          description = "Visitors of one node at once.";
        };
        bytesPerSecondPerNode = mkOption {
          type = types.ints.unsigned;
          default = 0;
          description = "Bytes of one node in a second, both directions together. 0: no limit.";
        };
        dailyBytesPerNode = mkOption {
          type = types.ints.unsigned;
          default = 0;
          description = "Bytes of one node in a day, both directions together; days are counted from the start of the relay. 0: no limit.";
        };
        challengesPerHour = mkOption {
          type = types.ints.positive;
          default = 30;
          description = "Validations (acme-tls/1) of one name that one IPv4 address or IPv6 /64 may ask for in an hour.";
        };
        namesPerNode = mkOption {
          type = types.ints.positive;
          default = 3;
          description = "Names that one node may claim.";
        };
        buffered = mkOption {
          type = types.strMatching "([0-9]+(\\.[0-9]+)?)(B|KiB|MiB|GiB|TiB)";
          default = "256MiB";
          example = "32MiB";
          description = "Bytes of all visitors that wait for a slow side; more ends the slowest. A size such as \"32MiB\".";
        };
        window = mkOption {
          type = types.strMatching "([0-9]+(\\.[0-9]+)?)(B|KiB|MiB|GiB|TiB)";
          default = "1MiB";
          example = "32MiB";
          description = "Bytes that a home may send ahead for each visitor; more is faster where relay and home are far apart (4MiB: 88 MB/s at 40 ms), and held for each visitor that does not read. For new tunnels; 64KiB to 16MiB. A size such as \"32MiB\".";
        };
        idleTimeout = mkOption {
          type = types.str;
          default = "5m";
          example = "10s";
          description = "A visitor without a byte in either direction for so long is ended. A duration such as \"10s\".";
        };
        drainTimeout = mkOption {
          type = types.strMatching "([0-9]+(\\.[0-9]+)?)(ms|s|m|h|d)";
          default = "30s";
          example = "10s";
          description = "How long a stop waits for visitors. A duration such as \"10s\".";
        };
      };
    });
    default = null;
    description = "What one side may use of the relay.";
  };
  tls = mkOption {
    type = types.nullOr (types.submodule {
      options = {
        certFile = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "PEM file with the certificate of relay.<domain_suffix> and its chain; read again on reload.";
        };
        keyFile = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "PEM file with its key.";
        };
        acme = mkOption {
          type = types.nullOr (types.submodule {
            options = {
              enabled = mkOption {
                type = types.bool;
                default = false;
                description = "Get the certificate of relay.<domain_suffix> by ACME, which accepts the terms of that CA. A change takes effect at the next restart.";
              };
              directory = mkOption {
                type = types.strMatching "https?://[^[:space:]/?#@]+([/?][^[:space:]#]*)?";
                default = "https://acme-v02.api.letsencrypt.org/directory";
                description = "Directory of the CA. A change takes effect at the next restart.";
              };
              email = mkOption {
                type = types.nullOr types.nonEmptyStr;
                default = null;
                description = "Where the CA writes to. A change takes effect at the next restart.";
              };
              caFile = mkOption {
                type = types.nullOr types.nonEmptyStr;
                default = null;
                description = "PEM file with the CA of the directory, where it is a private one. A change takes effect at the next restart.";
              };
            };
          });
          default = null;
          description = "A certificate by ACME.";
        };
      };
    });
    default = null;
    description = "Certificate of relay.<domain_suffix>; one of its own, which nodes pin, when absent.";
  };
  openFirewall = mkOption {
    type = types.bool;
    default = false;
    description = "Open https_port and p2p_port on every interface.";
  };
  openFirewallOnInterfaces = mkOption {
    type = types.listOf (types.strMatching "[A-Za-z0-9_.@-]{1,15}");
    default = [ ];
    description = "Open both ports on these interfaces only.";
  };
  dns = mkOption {
    type = types.nullOr (types.submodule {
      options = {
        enabled = mkOption {
          type = types.bool;
          default = true;
          description = "Whether records are written.";
        };
        provider = mkOption {
          type = types.enum [ "cloudflare" "rfc2136" ];
          description = "Who is told the TXT records of nodes.";
        };
        apiToken = mkOption {
          type = types.nullOr secretReference;
          default = null;
          example = { file = "/run/secrets/name"; };
          description = "Token that may edit the zone.";
        };
        zoneId = mkOption {
          type = types.nullOr (types.strMatching "[A-Za-z0-9]{1,64}");
          default = null;
          description = "Zone at Cloudflare.";
        };
        rfc2136 = mkOption {
          type = types.nullOr (types.submodule {
            options = {
              server = mkOption {
                type = types.nullOr types.nonEmptyStr;
                default = null;
                description = "Name server that takes signed updates.";
              };
              zone = mkOption {
                type = types.nullOr types.nonEmptyStr;
                default = null;
                description = "Zone; domain_suffix when absent.";
              };
              keyName = mkOption {
                type = types.nullOr types.nonEmptyStr;
                default = null;
                description = "Name of the TSIG key.";
              };
              algorithm = mkOption {
                type = types.enum [ "hmac-sha224" "hmac-sha256" "hmac-sha384" "hmac-sha512" "hmac-sha1" ];
                default = "hmac-sha256";
                description = "Algorithm of the TSIG key.";
              };
              secret = mkOption {
                type = types.nullOr secretReference;
                default = null;
                example = { file = "/run/secrets/name"; };
                description = "The TSIG key, base64.";
              };
            };
          });
          default = null;
          description = "A name server that takes signed updates.";
        };
      };
    });
    default = null;
    description = "DNS records of nodes; none when absent.";
  };
}
