# Options of sops-nix and agenix, as far as docs/nixos.md shows them.
{ lib, ... }:
let
  inherit (lib) mkOption types;
  option = type: default: mkOption { inherit type default; };
  secrets = options: option (types.attrsOf (types.submodule options)) { };
in
{
  options = {
    sops.secrets = secrets ({ name, ... }: {
      options = { path = option types.path "/run/secrets/${name}"; restartUnits = option (types.listOf types.str) [ ]; };
    });
    age.secrets = secrets ({ name, ... }: {
      options = { path = option types.path "/run/agenix/${name}"; file = mkOption { type = types.path; }; };
    });
  };
}
