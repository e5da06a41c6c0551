# Made by gatectl from the spec; changes here are lost.
# Import it into a NixOS configuration beside nixosModules.default of Gate's flake.
{
  services.gate-daemon = {
    enable = true;
    sandbox = {
      enable = true;
      runtime = "podman";
      image = "docker.io/library/python@sha256:2eb2d84317d6274cb5075cf849e71d90db4f756a3a19d39f261f9705f4749dce";
      timeout = "10s";
      memory = "128MiB";
      cpus = 1;
      network = true;
      languages = [ "python" ];
    };
  };
}
