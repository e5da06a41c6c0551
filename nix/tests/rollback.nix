# Back to the configuration before: declared values return, keys and runtime edits stay.
{ lib, ... }:
{
  name = "gate-rollback";

  nodes.machine = {
    imports = [ ./machine.nix ];
    services.gate-daemon.settings = {
      log.level = "warn";
      server.maxConcurrent = 1000;
    };
    specialisation.next.configuration.services.gate-daemon.settings = {
      log.level = lib.mkForce "error";
      server.maxConcurrent = lib.mkForce 2000;
    };
  };

  testScript = ''
    ${lib.readFile ./gate.py}

    machine.wait_for_unit("gate-daemon.service")
    key = make_key(machine)
    machine.succeed("gatectl config set server.max_concurrent 3000")
    process = machine.succeed("systemctl show --property MainPID --value gate-daemon.service")

    machine.succeed("/run/booted-system/specialisation/next/bin/switch-to-configuration test >&2")
    machine.wait_until_succeeds("gatectl config get log.level | grep --line-regexp error")
    assert effective(machine, "server.max_concurrent") == "3000"

    machine.succeed("/run/booted-system/bin/switch-to-configuration test >&2")
    machine.wait_until_succeeds("gatectl config get log.level | grep --line-regexp warn")
    machine.succeed("gatectl config unset server.max_concurrent")
    assert effective(machine, "server.max_concurrent") == "1000"
    assert ask(machine, key, "echo", "still here") == "still here"

    # only the declared layer changed, so it was reloaded and not restarted
    assert process == machine.succeed("systemctl show --property MainPID --value gate-daemon.service")
  '';
}
