# Made by gatectl from the spec; changes here are lost.
# Import it into a NixOS configuration beside nixosModules.default of Gate's flake.
{
  services.gate-daemon = {
    enable = true;
    domain = "ai.example.org";
    tls = {
      host = "192.0.2.10";
      httpsPort = 8443;
      httpPort = "off";
      hsts = "30d";
      alarmWebhook = {
        credential = "alarm";
      };
      acme = {
        email = "admin@example.org";
        domains = [ "ai.example.org" "*.ai.example.org" ];
        challenge = "dns-01";
        directory = "https://ca.example.org:9000/acme/directory";
        ca = "/etc/ssl/private-ca.pem";
        key = "rsa";
        eabKid = "gate";
        eabHmac = {
          credential = "eab";
        };
        dns = {
          provider = "rfc2136";
          server = "192.0.2.53:53";
          zone = "example.org";
          keyName = "gate-acme";
          keySecret = {
            file = "/etc/gate/tsig";
          };
          algorithm = "hmac-sha512";
        };
      };
      files = {
        cert = "/etc/ssl/gate/cert.pem";
        key = "/etc/ssl/gate/key.pem";
      };
    };
    trustedProxies = [ "192.0.2.7" ];
    proxyProtocol = true;
    openFirewall = true;
  };
}
