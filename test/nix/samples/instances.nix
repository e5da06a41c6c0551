# Three gateways; the main one is off.
{
  services.gate-daemon.instances = {
    lab = {
      port = 3100;
      p2pPort = 41247;
      log.level = "debug";
      backends.tiny = {
        engine = "llama-cpp";
        image = "ghcr.io/ggml-org/llama.cpp@sha256:0000000000000000000000000000000000000000000000000000000000000001";
        model = "tiny.gguf";
        uid = 40010;
      };
    };
    home = {
      host = "192.0.2.7";
      port = 3200;
      p2pPort = 41347;
      proxy.engine = "nginx";
      domain = "ai.home.arpa";
    };
    off = {
      enable = false;
      # the same as that of lab, which does not matter
      port = 3100;
    };
  };
}
