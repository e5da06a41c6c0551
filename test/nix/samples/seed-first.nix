# A gateway on another port, with one provider.
{
  services.gate-daemon = {
    enable = true;
    port = 8080;
    initialUpstreams = [
      {
        name = "openai";
        provider = "openai";
      }
    ];
  };
}
