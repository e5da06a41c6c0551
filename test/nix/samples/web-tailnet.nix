# A home server on a tailnet: names by dnsmasq, an installer for clients, a web interface in a container.
{
  services.gate-daemon = {
    enable = true;
    domain = "liminati.internal";
    openFirewallOnInterfaces = [ "tailscale0" ];
    tls.files = {
      cert = "/var/lib/certs/liminati.crt";
      key = "/var/lib/certs/liminati.key";
    };
    proxy = {
      engine = "nginx";
      aliases = [ "api" ];
      hsts = "30d";
    };
    dns = {
      engine = "dnsmasq";
      listen = "tailscale0";
      forward = [ "9.9.9.9" ];
    };
    client = {
      enable = true;
      ca = "/var/lib/certs/ca.crt";
    };
    backends.webui = {
      engine = "open-webui";
      image = "ghcr.io/open-webui/open-webui@sha256:0000000000000000000000000000000000000000000000000000000000000006";
      network = true;
      port = 11502;
      uid = 40005;
      expose = "chat";
    };
  };
}
