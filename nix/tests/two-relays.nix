# Two relays on one host, each with its ports and its own unit.
{ lib, ... }:
{
  name = "gate-two-relays";

  nodes.machine = {
    imports = [ ../modules ];
    services.gate-relay = {
      enable = true;
      instances = {
        public = {
          httpsPort = 443;
          p2pPort = 31145;
        };
        internal = {
          httpsPort = 8443;
          p2pPort = 31146;
          bindAddress = "127.0.0.1";
        };
      };
    };
  };

  testScript = ''
    for instance, ports in {"public": (443, 31145), "internal": (8443, 31146)}.items():
        machine.wait_for_unit(f"gate-relay@{instance}.service")
        for port in ports:
            machine.wait_for_open_port(port)

    for instance in ["public", "internal"]:
        machine.succeed(f"gatectl relay status --instance {instance} | grep 'registry: *file, live'")
    machine.succeed("systemctl restart gate-relay@internal.service")
    machine.succeed("systemctl is-active gate-relay@public.service")
    users = machine.succeed("ps -o user= -p $(systemctl show --property MainPID --value gate-relay@public.service)")
    assert users.strip() != "root", users
  '';
}
