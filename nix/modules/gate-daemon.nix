# services.gate-daemon: a private AI gateway, and more of them on the same host by instances.<name>.
{ config, lib, pkgs, ... }:
let
  inherit (lib) literalExpression mkOption types;
  inherit (import ./daemon/record.nix { inherit lib; }) record;
  cfg = config.services.gate-daemon;
  gateway = isInstance: import ./daemon/gateway.nix { inherit pkgs isInstance; host = config; };
  gateways = lib.filter (one: one.cfg.enable) ([ (record null cfg) ] ++ lib.mapAttrsToList record cfg.instances);

  configOf = import ../lib/config-of.nix { inherit lib; };
  # What each file makes of every gateway.
  parts = lib.concatMap (file: lib.concatMap (import file { inherit config lib pkgs; }) gateways) [
    ./daemon/service.nix
    ./daemon/accounts.nix
    ./daemon/network.nix
    ./daemon/backends.nix
    ./daemon/web.nix
  ];

  # Relays of the same host, whose ports count as well.
  relays = let relay = config.services.gate-relay or { enable = false; }; in
    lib.mapAttrsToList (name: own: { where = "services.gate-relay.instances.${name}"; cfg = own; })
      (lib.optionalAttrs relay.enable (lib.filterAttrs (_: own: own.enable) relay.instances));
in
{
  options.services.gate-daemon = mkOption {
    type = types.submodule [
      (gateway false)
      {
        options.instances = mkOption {
          type = types.attrsOf (types.submodule (gateway true));
          default = { };
          example = literalExpression "{ lab = { port = 3100; p2pPort = 41247; }; }";
          description = "More gateways on this host, by name; in theirs, `gate-<name>` takes the place of `gate`.";
        };
      }
    ];
    default = { };
    description = "Gate, a private AI gateway.";
  };

  meta.maintainers = [ ];

  config = configOf (parts ++ [
    (import ./daemon/checks.nix { inherit config lib gateways relays; })
    { environment.systemPackages = map (gateway: gateway.cfg.package) gateways; }
  ]);
}
