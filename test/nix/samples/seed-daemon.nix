# Every option of the daemon that the first documentation of Gate showed.
{
  services.gate-daemon = {
    enable = true;

    # Network configuration
    host = "127.0.0.1";
    port = 3000;
    p2pPort = 41147;

    # Firewall options
    openFirewall = true;
    openFirewallOnInterfaces = [
      "eth0"
      "wg0"
    ];

    # Initial upstream providers (API keys added at runtime)
    initialUpstreams = [
      {
        name = "openai";
        provider = "openai";
      }
      {
        name = "anthropic";
        provider = "anthropic";
      }
    ];

    # Relay client configuration
    relay = {
      enable = true;
      addresses = [ "relay.hellas.ai:443" ];
      customDomain = "myserver";
    };

    # Environment file for secrets
    environmentFile = "/run/secrets/gate-daemon";
  };
}
