# The options of one gateway: services.gate-daemon, and each of its instances.
{ host, pkgs, isInstance }:
{ lib, config, name, ... }:
let
  inherit (lib) literalExpression mkOption types;
  inherit (import ./record.nix { inherit lib; }) prefixOf record;
  instance = if isInstance then name else null;
  generated = file: import ../../generated/${file} {
    inherit lib;
    backend = import ./backend.nix { prefix = prefixOf instance; };
    anything = (pkgs.formats.json { }).type;
    secretReference = import ../../lib/secret-reference.nix { inherit lib; };
  };
  shared = import ./shared-keys.nix { inherit lib; };
in
{
  options = generated "gateway-options.nix" // {
    enable = mkOption {
      type = types.bool;
      default = isInstance;
      example = true;
      description = "Whether to run this gateway.";
    };
    package = import ../../lib/package-option.nix { inherit lib pkgs; };
    initialUpstreams = mkOption {
      type = types.listOf (types.submodule {
        options = generated "upstream-options.nix" // {
          name = mkOption {
            type = types.strMatching "[a-z0-9]+([_-][a-z0-9]+)*";
            example = "openai";
            description = "Name of the upstream; its models are also called `<name>/<model>`.";
          };
        };
      });
      default = [ ];
      example = literalExpression ''[ { name = "openai"; provider = "openai"; } ]'';
      description = "Providers that requests can go to. Keys may be added at runtime, or be `credentials`.";
    };
    environmentFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = "/run/secrets/gate-daemon";
      description = ''
        File outside the Nix store with lines such as `GATE_UPSTREAMS__OPENAI__API_KEY=sk-…`. The environment comes before
        everything else that is configured, also at runtime.
      '';
    };
    credentials = mkOption {
      type = types.attrsOf types.path;
      default = { };
      example = { "upstreams.openai.api_key" = "/run/secrets/openai"; };
      description = ''
        Secrets by the key of the daemon's configuration that they fill, each a file outside the Nix store. systemd hands
        them over (`LoadCredential`), so only root needs to be able to read them.
      '';
    };
    settings = mkOption {
      type = types.submodule {
        freeformType = (pkgs.formats.json { }).type;
        options = generated "settings-options.nix";
      };
      default = { };
      example = { log.level = "debug"; discovery.enabled = false; };
      description = ''
        Keys of the daemon's configuration, in camelCase: the declared layer, which `gatectl` and the environment can override.
        Where a key is an option of its own as well (`settings.server.port` is `port`), either sets both.
      '';
    };
    files = mkOption {
      type = types.package;
      readOnly = true;
      description = "What `gatectl compile` makes of these options.";
    };
  };
  config = lib.mkMerge [
    (shared.fromSettings config.settings)
    { files = import ./files.nix { inherit lib pkgs; config = host; } (record instance config); }
  ];
}
