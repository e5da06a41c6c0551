# A backend of its own user: an image made here, started through its quadlet by that user's manager, reached through
# a Unix socket that only the daemon may open.
{ lib, pkgs, ... }:
let
  image = pkgs.dockerTools.buildLayeredImage {
    name = "localhost/engine";
    tag = "test";
    contents = [
      pkgs.python3Minimal
      pkgs.dockerTools.binSh
    ];
    config = {
      Entrypoint = [
        "/bin/python3"
        "${./engine.py}"
      ];
      # so that a socket in a directory of the group "gate" can be opened by it
      User = "1000:1000";
    };
  };
in
{
  name = "gate-rootless-backend";

  nodes.machine = {
    imports = [ ./machine.nix ];
    services.gate-daemon.backends.numbers = {
      engine = "custom";
      image = "localhost/engine:test";
      imageFile = image;
      model = "numbers";
      uid = 40000;
      args = [ "{socket}" ];
      health.command = [
        "/bin/python3"
        "-c"
        "import os, sys; sys.exit(not os.path.exists('/run/engine/engine.sock'))"
      ];
    };
    # the engine does not read its model, but the container mounts it
    systemd.tmpfiles.rules = [ "f /var/lib/gate/models/numbers 0640 gate gate-models -" ];
    # the image, and what podman unpacks of it
    virtualisation.diskSize = 4096;
  };

  testScript = ''
    ${lib.readFile ./gate.py}


    def as_backend(command: str) -> str:
        return (
            "cd / && runuser -u gate-numbers -- env XDG_RUNTIME_DIR=/run/user/40000"
            " HOME=/var/lib/gate-backends/numbers XDG_CONFIG_HOME=/var/lib/gate-backends/numbers/.config"
            f" {command}"
        )


    machine.wait_for_unit("multi-user.target")
    machine.wait_for_unit("user@40000.service")

    key = make_key(machine)
    machine.wait_until_succeeds(f"curl --silent --fail -H 'Authorization: Bearer {key}' {URL}/v1/models | grep numbers")
    assert ask(machine, key, "numbers", "count") == "0 1 2 "

    # only the daemon reaches the engine
    machine.fail("su alice -c 'curl --silent --unix-socket /run/gate/backends/numbers/engine.sock http://engine/v1/models'")
    # and the engine reaches nothing
    machine.succeed(as_backend("podman exec gate-numbers /bin/python3 -c 'import socket'"))
    machine.fail(as_backend("podman exec gate-numbers /bin/python3 -c 'import socket; socket.create_connection((\"10.0.2.2\", 3000), 2)'"))

    # it is there again after a boot, with no user logged in
    machine.shutdown()
    machine.wait_for_unit("multi-user.target")
    machine.wait_until_succeeds(f"curl --silent --fail -H 'Authorization: Bearer {key}' {URL}/v1/models | grep numbers")
    assert ask(machine, key, "numbers", "count") == "0 1 2 "
  '';
}
