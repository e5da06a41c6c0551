# Options of NixOS that no module of Gate's sets, only the machines in nix/ for trying it out; as in nixos.nix.
{ lib, ... }:
let
  inherit (lib) mkOption types;
  option = type: default: mkOption { inherit type default; };
  # a configuration inside this one, left as it is
  opaque = {
    name = "a configuration";
    check = builtins.isAttrs;
    merge = _path: values: { imports = values; };
  };
in
{
  options = {
    boot.isContainer = option types.bool false;
    boot.loader.grub.device = option types.str "";
    fileSystems = option (types.attrsOf (types.submodule {
      options = { device = option (types.nullOr types.str) null; fsType = option types.str "auto"; };
    })) { };
    networking.hostName = option types.str "nixos";
    nixpkgs.overlays = option (types.listOf (opaque // { check = builtins.isFunction; merge = _path: lib.last; })) [ ];
    security.acme.acceptTerms = option types.bool false;
    nixpkgs.hostPlatform = option (types.nullOr types.str) null;
    services.getty.autologinUser = option (types.nullOr types.str) null;
    specialisation = option (types.attrsOf (types.submodule { options.configuration = option opaque { }; })) { };
    system.stateVersion = mkOption { type = types.str; };
    virtualisation.memorySize = option types.int 1024;
    virtualisation.diskSize = option types.int 1024;
    virtualisation.vmVariant = option opaque { };
  };
}
