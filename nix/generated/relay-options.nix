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
          type = types.enum [ "cloudflare" ];
          description = "Where the records of nodes are written.";
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
          description = "Zone.";
        };
      };
    });
    default = null;
    description = "DNS records of nodes; none when absent.";
  };
}
