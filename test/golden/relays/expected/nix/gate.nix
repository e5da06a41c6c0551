# Made by gatectl from the spec; changes here are lost.
# Import it into a NixOS configuration beside nixosModules.default of Gate's flake.
{
  services.gate-daemon = {
    enable = true;
    profile = "small-vps";
    host = "192.0.2.7";
    allowFrom = [ "192.0.2.0/24" ];
    relay = {
      enable = true;
      addresses = [ "relay.example.org:443" "[2001:db8::1]:443" ];
      customDomain = "myserver";
    };
  };
  services.gate-relay = {
    enable = true;
    instances = {
      default = {
        httpsPort = 443;
        domainSuffix = "gate.example.org";
        dns = {
          provider = "cloudflare";
          apiToken = {
            credential = "cloudflare";
          };
          zoneId = "0123456789abcdef";
        };
      };
      office = {
        httpsPort = 8443;
        p2pPort = 31146;
        bindAddress = "192.0.2.7";
        logLevel = "debug";
        allowFrom = [ "192.0.2.0/24" "2001:db8::/32" ];
      };
    };
  };
}
