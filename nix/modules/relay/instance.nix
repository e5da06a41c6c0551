# The options of one relay server.
{ pkgs }:
{ lib, ... }:
let
  inherit (lib) mkOption types;
  json = (pkgs.formats.json { }).type;
  generated = import ../../generated/relay-options.nix {
    inherit lib;
    anything = json;
    secretReference = import ../../lib/secret-reference.nix { inherit lib; };
  };
in
{
  options = generated // {
    enable = mkOption {
      type = types.bool;
      default = true;
      example = false;
      description = "Whether to run this relay.";
    };
    environmentFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = "/run/secrets/gate-relay";
      description = "File outside the Nix store with lines such as `RELAY__DNS__CLOUDFLARE__API_TOKEN=…`.";
    };
    settings = mkOption {
      type = json;
      default = { };
      example = { logLevel = "debug"; };
      description = "Keys of the relay's configuration, in camelCase; they come before the options of the same name.";
    };
  };
}
