# The daemon and a relay on one machine.
{
  services.gate-daemon = {
    enable = true;
    relay = {
      enable = true;
      addresses = [ "127.0.0.1:31145" ];
    };
  };
  services.gate-relay = {
    enable = true;
    instances.default.httpsPort = 8443;
  };
}
