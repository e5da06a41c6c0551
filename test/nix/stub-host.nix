# Options of NixOS that no module of Gate's sets, only the machines in nix/ for trying it out; as in nixos.nix.
{ lib, ... }:
let
  inherit (lib) mkOption types;
  option = type: default: mkOption { inherit type default; };
  # left unread here: qemu-vm.nix and all other options of the machine inside
  opaque = option (types.attrsOf types.unitOption) { };
in
{
  options = {
    boot.isContainer = option types.bool false;
    boot.loader.grub.device = option types.str "";
    fileSystems = option (types.attrsOf (types.submodule {
      options = { device = option (types.nullOr types.str) null; fsType = option types.str "auto"; };
    })) { };
    networking.hostName = option types.str "nixos";
    nixpkgs.hostPlatform = option (types.nullOr types.str) null;
    services.getty.autologinUser = option (types.nullOr types.str) null;
    system.stateVersion = mkOption { type = types.str; };
    virtualisation.memorySize = option types.int 1024;
    virtualisation.diskSize = option types.int 1024;
    virtualisation.vmVariant = opaque;
  };
}
