# Made by gatectl from the spec; changes here are lost.
# Import it into a NixOS configuration beside nixosModules.default of Gate's flake.
{
  services.gate-daemon = {
    enable = true;
    domain = "ai.home.arpa";
    tls = {
      internalCa = true;
    };
  };
}
