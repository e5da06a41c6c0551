# Two relay servers on one host.
{
  services.gate-relay.instances = {
    public = {
      enable = true;
      httpsPort = 443;
      p2pPort = 31145;
    };
    internal = {
      enable = true;
      httpsPort = 8443;
      p2pPort = 31146;
      bindAddress = "10.0.0.1";
    };
  };
}
