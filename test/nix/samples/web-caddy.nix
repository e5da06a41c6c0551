# Caddy in front, which has a CA of its own.
{
  services.gate-daemon = {
    enable = true;
    domain = "ai.home.arpa";
    tls.internalCa = true;
    proxy = {
      engine = "caddy";
      httpPort = 8081;
      httpsPort = 8444;
    };
    openFirewallOnInterfaces = [ "tailscale0" ];
  };
}
