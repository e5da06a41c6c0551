# Made by gatectl from the spec; changes here are lost.
# Import it into a NixOS configuration beside nixosModules.default of Gate's flake.
{
  services.gate-daemon.instances.lab = {
    enable = true;
    profile = "medium-vps";
    tls = {
      host = "100.64.0.7";
      httpsPort = 8443;
      httpPort = "off";
      files = {
        cert = "/run/secrets/gate/cert.pem";
        key = "/run/secrets/gate/key.pem";
      };
    };
    host = "100.64.0.7";
    port = 3100;
    p2pPort = 41148;
    openFirewallOnInterfaces = [ "tailscale0" "wg-home" ];
    initialUpstreams = [
      {
        name = "openai";
        provider = "openai";
        apiKey = {
          file = "/run/secrets/gate/openai";
        };
      }
    ];
    backends = {
      own = {
        engine = "custom";
        image = "registry.example.org/team/engine:1.2";
        model = "own/model";
        args = [
          "--listen"
          "{socket}"
          "\${config.users}"
          "''\${x}''"
          "\\\${y} \"z\""
          "/usr/bin/gate-agent"
          "ExecStart=/usr/bin/gate-agent"
        ];
        environment = {
          PATH_IN_TEXT = "$\${HOME}\\";
          GREETING = "it's 100% \${HOME} 😀";
        };
        health = {
          command = [ "/bin/check" "{socket}" "\${pkgs.gate}" ];
        };
        uid = 40000;
        subIdStart = 2000224256;
        imageFile = "/srv/images/engine.tar";
      };
    };
  };
  services.gate-relay = {
    enable = true;
    instances = {
      public = {
        httpsPort = 443;
        p2pPort = 31145;
        bindAddress = "192.0.2.7";
        domainSuffix = "gate.example.org";
        openFirewallOnInterfaces = [ "eth0" ];
      };
    };
  };
}
