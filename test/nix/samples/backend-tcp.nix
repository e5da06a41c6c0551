# Engines that listen on TCP, one of them on a port of the host as well; the daemon and vLLM share a key that nobody has
# to write.
{
  services.gate-daemon = {
    enable = true;
    backends = {
      ollama = {
        engine = "ollama";
        image = "docker.io/ollama/ollama@sha256:0000000000000000000000000000000000000000000000000000000000000004";
        uid = 40002;
        port = 11500;
      };
      vllm = {
        engine = "vllm";
        image = "docker.io/vllm/vllm-openai@sha256:0000000000000000000000000000000000000000000000000000000000000005";
        model = "small/model";
        uid = 40003;
        listen = "tcp";
      };
    };
  };
}
