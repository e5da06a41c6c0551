# Keys of the daemon's configuration; what gatectl config promote prints belongs here.
{
  services.gate-daemon.enable = true;
  services.gate-daemon.settings.server.port = 8088;
  services.gate-daemon.settings.server.headersTimeout = "10s";
  services.gate-daemon.settings.log.level = "debug";
  services.gate-daemon.settings.discovery.enabled = false;
  services.gate-daemon.settings.upstreams.llama-cpp = {
    provider = "llama-cpp";
    baseUrl = "http://127.0.0.1:8080/v1";
    idleTimeout = null;
  };
  services.gate-daemon.settings.models.coder.targets = [
    {
      upstream = "llama-cpp";
      model = "qwen";
      weight = 2;
    }
  ];
}
