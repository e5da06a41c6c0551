# What is wrong with the relays of a host; each message says what to write instead.
{ lib, relays }:
let
  keys = import ../../lib/keys.nix { inherit lib; };
  tree = (import ../../generated/spec-keys.nix).keys.relays.names;
  path = lib.concatStringsSep ".";
  isInStore = file: builtins.isPath file || lib.hasPrefix "${builtins.storeDir}/" (toString file);

  errors = { name, where, cfg }:
    lib.optional (builtins.match "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?" name == null)
      "${where}: an instance is part of unit names: use lower-case letters, digits and -"
    ++ lib.concatMap
      (place:
        if place.kind == "unknown" then [ "${where}.settings.${path place.path} does not exist; ${keys.suggestion (lib.last place.path) place.keys}" ]
        else lib.optional (place.kind == "secret")
          ''${where}.settings.${path place.path} is a secret, and settings are in the Nix store, which every user can read: write ${where}.${path place.path}.file = "/run/secrets/…"'')
      (keys.places tree cfg.settings)
    ++ map (what: "${where}.${what} is in the Nix store, which every user can read: name a file that sops-nix or agenix makes, such as /run/secrets/name")
      (lib.optional (cfg.environmentFile != null && isInStore cfg.environmentFile) "environmentFile"
        ++ lib.optional (cfg.dns != null && (cfg.dns.apiToken.file or null) != null && isInStore cfg.dns.apiToken.file) "dns.apiToken.file")
    ++ lib.optional (cfg.dns != null && cfg.dns.enabled && cfg.domainSuffix == null)
      ''${where}.dns writes records below a domain: write domainSuffix = "gate.example.org"'';
in
{ assertions = map (message: { assertion = false; inherit message; }) (lib.concatMap errors relays); }
