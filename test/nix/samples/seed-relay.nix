# One relay server.
{
  services.gate-relay = {
    enable = true;

    instances.default = {
      enable = true;
      httpsPort = 443;
      p2pPort = 31145;
      logLevel = "info";

      # Firewall configuration
      openFirewallOnInterfaces = [ "eth0" ];

      # DNS provider settings
      domainSuffix = "gate.hellas.ai";
      dns = {
        enabled = true;
        provider = "cloudflare";
      };

      # Secrets via environment file
      environmentFile = "/run/secrets/gate-relay";
    };
  };
}
