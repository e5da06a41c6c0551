# A secret is only ever referred to: a file outside the store, or a credential in /etc/credstore or of the host.
{ lib }:
let
  inherit (lib) mkOption types;
in
types.attrTag {
  file = mkOption {
    type = types.path;
    description = "Absolute path of a file outside the Nix store, such as `/run/secrets/openai`.";
  };
  credential = mkOption {
    type = types.strMatching "[A-Za-z0-9._-]{1,128}";
    description = "Name of a systemd credential; looked for in `/etc/credstore` and among those of the host.";
  };
}
