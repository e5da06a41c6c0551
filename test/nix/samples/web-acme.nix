# A public gateway: nginx in front, certificates by ACME.
{
  services.gate-daemon = {
    enable = true;
    domain = "ai.example.org";
    openFirewall = true;
    tls.acme = {
      email = "me@example.org";
      domains = [
        "ai.example.org"
        "chat.ai.example.org"
      ];
      challenge = "http-01";
    };
    proxy = {
      engine = "nginx";
      aliases = [ "chat" ];
    };
    auth.jwt.expirationHours = 12;
  };
}
