# HTTPS from the gateway itself: certificates by its own order, and by the CA of the host for a second gateway.
{
  services.gate-daemon = {
    enable = true;
    domain = "ai.example.org";
    openFirewall = true;
    tls = {
      acme = {
        email = "admin@example.org";
        domains = [ "ai.example.org" "*.ai.example.org" ];
        challenge = "dns-01";
        dns = {
          provider = "cloudflare";
          apiToken.file = "/run/secrets/cloudflare";
        };
      };
      alarmWebhook.credential = "alarm";
    };
    instances.lan = {
      enable = true;
      port = 3100;
      p2pPort = 41247;
      domain = "ai.home.arpa";
      tls = {
        host = "192.168.1.10";
        httpsPort = 8443;
        httpPort = "off";
        internalCa = true;
      };
    };
  };
}
