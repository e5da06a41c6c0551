# A machine to look around in: `nixos-rebuild build-vm --flake .#test-vm`, then ./result/bin/run-test-vm-vm.
# Its console is logged in; the gateway answers on port 3000 of the host that runs the machine, too.
{ pkgs, ... }:
{
  networking.hostName = "test-vm";
  services.gate-daemon = {
    enable = true;
    host = "0.0.0.0";
    openFirewall = true;
  };

  services.getty.autologinUser = "root";
  environment.systemPackages = [ pkgs.curl ];

  fileSystems."/" = {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };
  boot.loader.grub.device = "/dev/vda";
  virtualisation.vmVariant.virtualisation = {
    graphics = false;
    forwardPorts = [
      {
        from = "host";
        host.port = 3000;
        guest.port = 3000;
      }
    ];
  };
  system.stateVersion = "25.05";
}
