# services.gate-relay: relay servers, each an instance of the template gate-relay@.
{ config, lib, pkgs, ... }:
let
  inherit (lib) literalExpression mkOption types;
  cfg = config.services.gate-relay;
  instance = import ./relay/instance.nix { inherit pkgs; };
  relays = lib.filter (relay: relay.cfg.enable) (lib.optionals cfg.enable
    (lib.mapAttrsToList (name: own: { inherit name; where = "services.gate-relay.instances.${name}"; cfg = own; }) cfg.instances));
  configOf = import ../lib/config-of.nix { inherit lib; };
in
{
  options.services.gate-relay = {
    enable = mkOption {
      type = types.bool;
      default = cfg.instances != { };
      defaultText = literalExpression "instances != { }";
      description = "Whether to run the relays below `instances`.";
    };
    package = import ../lib/package-option.nix { inherit lib pkgs; };
    instances = mkOption {
      type = types.attrsOf (types.submodule instance);
      default = { };
      example = literalExpression ''
        {
          public = { httpsPort = 443; p2pPort = 31145; };
          internal = { httpsPort = 8443; p2pPort = 31146; bindAddress = "10.0.0.1"; };
        }
      '';
      description = "Relay servers on this host, by name.";
    };
  };

  meta.maintainers = [ ];

  config = configOf (
    lib.optional (relays != [ ]) (import ./relay/templates.nix { inherit lib; inherit (cfg) package; })
    ++ map (import ./relay/units.nix { inherit config lib pkgs; }) relays
    ++ [ (import ./relay/checks.nix { inherit lib relays; }) ]
  );
}
