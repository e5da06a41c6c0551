# A runtime edit wins over the module, survives a reboot, and loses to the environment.
{ lib, ... }:
{
  name = "gate-runtime-edit";

  nodes.machine = {
    imports = [ ./machine.nix ];
    services.gate-daemon = {
      settings.log.level = "warn";
      environmentFile = "/var/gate.env";
    };
    # a file that the test changes, as a secret manager would
    systemd.tmpfiles.rules = [ "f /var/gate.env 0600 root root -" ];
  };

  testScript = ''
    ${lib.readFile ./gate.py}

    machine.wait_for_unit("gate-daemon.service")
    assert effective(machine, "log.level") == "warn"

    machine.succeed("gatectl config set log.level debug")
    assert effective(machine, "log.level") == "debug"
    promoted = machine.succeed("gatectl config promote --format nix").strip()
    assert promoted == 'services.gate-daemon.settings.log.level = "debug";', promoted

    machine.shutdown()
    machine.wait_for_unit("gate-daemon.service")
    assert effective(machine, "log.level") == "debug"

    machine.succeed("echo GATE_LOG__LEVEL=error >/var/gate.env")
    machine.succeed("systemctl restart gate-daemon.service")
    assert effective(machine, "log.level") == "error"
    machine.fail("gatectl config set log.level info")

    machine.succeed("echo >/var/gate.env")
    machine.succeed("systemctl restart gate-daemon.service")
    machine.succeed("gatectl config unset log.level")
    assert effective(machine, "log.level") == "warn"
  '';
}
