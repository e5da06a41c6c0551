# Made by gatectl from the spec; changes here are lost.
# Import it into a NixOS configuration beside nixosModules.default of Gate's flake.
{
  services.gate-daemon = {
    enable = true;
    auth = {
      mode = [ "token" "password" "oidc" ];
      token = {
        credential = "gate-token";
      };
      jwt = {
        issuer = "gate.example.org";
        expirationHours = 12;
        secret = {
          file = "/etc/gate/jwt_secret;100%";
        };
      };
      oidc = {
        corp = {
          issuer = "https://login.example.org/realms/corp";
          clientId = "gate";
          clientSecret = {
            credential = "corp-oidc";
          };
        };
      };
    };
    adminAllowFrom = [ "127.0.0.0/8" ];
    initialUpstreams = [
      {
        name = "openai";
        provider = "openai";
      }
    ];
  };
}
