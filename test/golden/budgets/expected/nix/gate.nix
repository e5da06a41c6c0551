# Made by gatectl from the spec; changes here are lost.
# Import it into a NixOS configuration beside nixosModules.default of Gate's flake.
{
  services.gate-daemon = {
    enable = true;
    initialUpstreams = [
      {
        name = "openai";
        provider = "openai";
        apiKey = {
          credential = "openai";
        };
      }
    ];
    budgets = {
      team = {
        limit = "200 USD";
        window = "month";
      };
      trial = {
        limit = "0.50 USD";
        window = "day";
      };
    };
  };
}
