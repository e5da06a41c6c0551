# Keys that the daemon's configuration and the spec both have: settings.server.port and port are one thing.
{ lib }:
let
  pairs = import ../../generated/shared-keys.nix;
  text = value: builtins.toJSON value;
  name = lib.concatStringsSep ".";
in
{
  # A setting gives its option a value, unless that has one of its own.
  fromSettings = settings: lib.mkMerge (map
    ({ setting, option }:
      let value = lib.attrByPath setting null settings; in
      lib.mkIf (value != null) (lib.setAttrByPath option (lib.mkDefault value)))
    pairs);

  # Pairs whose halves contradict each other, as messages.
  contradictions = where: cfg: lib.concatMap
    ({ setting, option }:
      let
        set = lib.attrByPath setting null cfg.settings;
        own = lib.attrByPath option null cfg;
      in
      lib.optional (set != null && set != own)
        "${where}.${name option} = ${text own} and ${where}.settings.${name setting} = ${text set} are the same setting: keep only one of them")
    pairs;
}
