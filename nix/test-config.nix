# A host to try the module on, without a flake:
# nix build -f '<nixpkgs/nixos>' system --arg configuration ./nix/test-config.nix
{
  imports = [ ./modules ];

  services.gate-daemon = {
    enable = true;
    port = 8080;
    initialUpstreams = [
      {
        name = "openai";
        provider = "openai";
      }
    ];
    environmentFile = "/run/secrets/gate-daemon";
  };

  # no disk and no boot loader are asked for
  boot.isContainer = true;
  system.stateVersion = "25.05";
}
