# Listening on every address; Gate warns, because nothing encrypts.
{
  services.gate-daemon = {
    enable = true;
    host = "::";
    allowFrom = [
      "10.0.0.0/8"
      "fd00::/8"
    ];
    backends.untested = {
      engine = "custom";
      image = "example.org/engine:latest";
      model = "own";
      uid = 40006;
      args = [ "{socket}" ];
      notify = "started";
    };
  };
}
