# Every way for a secret to reach the daemon.
{
  services.gate-daemon = {
    enable = true;
    environmentFile = "/run/secrets/gate.env";
    credentials."auth.token" = "/run/secrets/gate-token";
    auth.jwt.secret.credential = "gate-jwt";
    initialUpstreams = [
      {
        name = "openrouter";
        provider = "openrouter";
        apiKey.file = "/run/agenix/openrouter";
      }
      {
        name = "groq";
        provider = "groq";
        apiKey.credential = "groq";
        models = [ "llama-4" ];
        timeout = "90s";
      }
    ];
  };
}
