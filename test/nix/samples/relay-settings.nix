# A relay with a token file, metrics, addresses that may ask, and settings over its options.
{
  services.gate-relay.instances.edge = {
    metricsPort = 9090;
    allowFrom = [ "192.0.2.0/24" ];
    openFirewall = true;
    settings.logLevel = "debug";
    domainSuffix = "gate.example.org";
    dns = {
      provider = "cloudflare";
      zoneId = "0123456789abcdef";
      apiToken.file = "/run/secrets/cloudflare";
    };
  };
  services.gate-relay.instances.lan = {
    httpsPort = 8443;
    p2pPort = 31146;
    metricsPort = 9091;
    allowFrom = [ "192.0.2.0/24" ];
    dns = {
      enabled = false;
      provider = "cloudflare";
    };
  };
}
