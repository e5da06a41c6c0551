# Nothing configured but "enable": the first request, made with a key of an administrator's, starts the daemon.
{ lib, ... }:
{
  name = "gate-first-request";

  nodes.machine = {
    imports = [ ./machine.nix ];
  };

  testScript = ''
    ${lib.readFile ./gate.py}

    machine.wait_for_unit("multi-user.target")
    machine.wait_for_unit("gate-daemon.socket")
    assert "401" in machine.succeed(f"curl --silent -o /dev/null -w '%{{http_code}}' {URL}/v1/models")

    key = make_key(machine)
    assert ask(machine, key, "echo", "Hello from Gate") == "Hello from Gate"

    machine.fail("su nobody -s /bin/sh -c 'gatectl token list'")
    machine.fail("journalctl --unit gate-daemon | grep --fixed-strings gate_")
    score = machine.succeed("systemd-analyze security --no-pager gate-daemon | tail --lines 1")
    assert "OK" in score, score
  '';
}
