# One gateway with its names, the place of its options, and its backends.
{ lib }:
let
  names = import ../../generated/names.nix;
  prefixOf = instance: if instance == null then "gate" else "gate-${instance}";
in
{
  inherit prefixOf;
  record = instance: cfg:
    let prefix = prefixOf instance; in
    {
      inherit instance prefix cfg;
      where = if instance == null then "services.gate-daemon" else "services.gate-daemon.instances.${instance}";
      names = names.gateway prefix;
      backends = lib.mapAttrsToList (name: backend: { inherit name backend; names = names.backend prefix name; }) cfg.backends;
    };
}
