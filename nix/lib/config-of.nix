# The config of a module from parts that depend on its own options: where each part may say something is known without
# looking at them, so that no option depends on itself.
{ lib }:
let
  places = map (lib.splitString ".") [
    "assertions"
    "environment"
    "hardware"
    "networking"
    "security"
    "services.caddy"
    "services.nginx"
    "systemd"
    "users"
    "virtualisation"
    "warnings"
  ];
  at = parts: path: lib.setAttrByPath path (lib.mkMerge
    (lib.concatMap (part: lib.optional (lib.hasAttrByPath path part) (lib.getAttrFromPath path part)) parts));
in
parts: lib.mkMerge (map (at parts) places)
