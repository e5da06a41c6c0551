# Made by gatectl from the spec; changes here are lost.
# Import it into a NixOS configuration beside nixosModules.default of Gate's flake.
{
  services.gate-daemon = {
    enable = true;
    domain = "ai.example.org";
    tls = {
      acme = {
        email = "me@example.org";
        domains = [ "ai.example.org" ];
        challenge = "http-01";
      };
    };
    proxy = {
      engine = "nginx";
    };
  };
}
