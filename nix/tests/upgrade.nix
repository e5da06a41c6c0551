# Another version of the package while a stream is open: the stream runs to its end in the old process, and the new one
# answers next, because the sockets stay with systemd.
{ lib, ... }:
{
  name = "gate-upgrade";

  nodes.machine =
    { config, pkgs, ... }:
    {
      imports = [ ./machine.nix ];
      services.gate-daemon = {
        initialUpstreams = [
          {
            name = "slow";
            provider = "custom";
            baseUrl = "http://127.0.0.1:9100/v1";
            models = [ "numbers" ];
          }
        ];
      };
      systemd.services.engine = {
        wantedBy = [ "multi-user.target" ];
        serviceConfig.ExecStart = "${pkgs.python3Minimal}/bin/python3 ${./engine.py} 9100";
      };
      specialisation.next.configuration.services.gate-daemon.package =
        lib.mkForce
          (config.services.gate-daemon.package.overrideAttrs { version = "999"; });
    };

  testScript = ''
    ${lib.readFile ./gate.py}

    machine.wait_for_unit("gate-daemon.service")
    machine.wait_for_unit("engine.service")
    key = make_key(machine)
    before = machine.succeed("systemctl show --property MainPID --value gate-daemon.service").strip()

    stream = command(key, "numbers", "count", stream=True, max_tokens=80)
    machine.execute(f"({stream}) >/tmp/stream 2>/tmp/stream.error & echo $! >/tmp/stream.pid", check_return=False)
    machine.wait_until_succeeds("grep --quiet '\"5 \"' /tmp/stream")

    machine.succeed("/run/booted-system/specialisation/next/bin/switch-to-configuration test >&2")
    machine.wait_for_unit("gate-daemon.service")
    after = machine.succeed("systemctl show --property MainPID --value gate-daemon.service").strip()
    assert before != after, "the daemon was not replaced"

    machine.wait_until_succeeds("grep --quiet --fixed-strings '[DONE]' /tmp/stream")
    machine.succeed("grep --quiet '\"79 \"' /tmp/stream")
    assert ask(machine, key, "echo", "after the upgrade") == "after the upgrade"
  '';
}
