# Whether a gateway has certificates, and what it listens on for them; compiler/ir/lower-tls.ts says the same.
{ lib }:
rec {
  has = { tls, ... }: tls.acme != null || tls.files != null || tls.internalCa;
  # without a proxy, which has certificates in its place
  isServed = cfg: has cfg && cfg.proxy.engine == "none";
  host = { tls, ... }: if tls.host == null then "*" else tls.host;
  # by the name of the socket
  ports = { tls, ... }@cfg: lib.optionalAttrs (isServed cfg)
    ({ https = tls.httpsPort; } // lib.optionalAttrs (tls.httpPort != "off") { http = tls.httpPort; });
}
