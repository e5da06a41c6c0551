# The options of one gateway as the compiler's spec, and the numbers that the compiler would otherwise choose.
{ lib }:
let
  keys = import ../../lib/keys.nix { inherit lib; };
  specKeys = (import ../../generated/spec-keys.nix).keys;
  settingsKeys = import ../../generated/settings-keys.nix;

  # Tables of the spec that are options of the same name.
  same = removeAttrs specKeys [ "$schema" "defaults" "gate" "upstreams" "relays" ];

  # The spec has another name for it, because there it is a file of the host.
  withArchive = backend: backend // {
    imageArchive = if backend.imageFile == null then null else "${backend.imageFile}";
  };
in
{
  spec = { cfg, instance, ... }:
    keys.toToml { keys = same; } (cfg // { backends = lib.mapAttrs (_: withArchive) cfg.backends; }) // {
      gate = keys.toToml specKeys.gate (cfg // { inherit instance; server = cfg; });
      upstreams = keys.toToml specKeys.upstreams
        (lib.listToAttrs (map (upstream: lib.nameValuePair upstream.name upstream) cfg.initialUpstreams));
    };

  lock = { cfg, ... }: {
    version = 1;
    users = lib.mapAttrs (_: { uid, subIdStart, ... }: { inherit uid; subuid = subIdStart; }) cfg.backends;
    ports = { };
  };

  # The settings as the daemon reads them, to lie over what the compiler makes of the spec.
  settings = { cfg, ... }: keys.toToml settingsKeys cfg.settings;
}
