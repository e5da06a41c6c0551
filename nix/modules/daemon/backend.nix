# Options of a backend that only NixOS has.
{ prefix }:
{ lib, config, name, ... }:
let
  ids = import ./ids.nix;
  inherit (lib) literalExpression mkOption types;
in
{
  options = {
    imageFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = literalExpression "pkgs.dockerTools.buildImage { name = \"engine\"; … }";
      description = "Archive with the image, loaded in place of a pull; `image` is the name that it has there.";
    };
    subIdStart = mkOption {
      type = types.ints.between ids.count 4294901760;
      default = if config.uid == null then ids.first else ids.subordinate config.uid;
      defaultText = lib.literalMD "a separate range for every `uid` from 40000 on";
      description = "First of the 65536 subordinate user and group ids of the container. Never change it.";
    };
    account = mkOption {
      type = types.str;
      default = "${prefix}-${name}";
      readOnly = true;
      description = "The account that the backend runs as.";
    };
  };
}
