# Made by "npm run generate"; changes here are lost.
# Keys of the daemon's configuration, spelled as in TOML.
{
  keys = {
    server = {
      keys = {
        host = null;
        port = null;
        p2p_port = null;
        allow_from = null;
        admin_allow_from = null;
        trusted_proxies = null;
        proxy_protocol = null;
        external_url = null;
        allowed_hosts = null;
        allowed_origins = null;
        max_body = null;
        max_buffered = null;
        max_connections = null;
        max_connections_per_address = null;
        max_concurrent = null;
        headers_timeout = null;
        body_timeout = null;
        keep_responses = null;
        max_kept = null;
        max_background = null;
        resume_streams = null;
        max_recorded = null;
        stall_timeout = null;
        drain_timeout = null;
      };
    };
    auth = {
      keys = {
        mode = null;
        token = "secret";
        username = null;
        password_hash = "secret";
        jwt = {
          keys = {
            secret = "secret";
            issuer = null;
            expiration_hours = null;
          };
        };
        oidc = { names = {
          keys = {
            issuer = null;
            client_id = null;
            client_secret = "secret";
            scopes = null;
            claim = null;
            roles = { items = {
              keys = {
                group = null;
                role = null;
              };
            }; };
            otherwise = null;
          };
        }; };
        proxy = {
          keys = {
            from = null;
            user_header = null;
            email_header = null;
            groups_header = null;
            roles = { items = {
              keys = {
                group = null;
                role = null;
              };
            }; };
          };
        };
        tailscale = {
          keys = {
            tailnets = null;
          };
        };
        break_glass = null;
        bootstrap = {
          keys = {
            user = null;
            password = "secret";
          };
        };
      };
    };
    upstreams = { names = {
      keys = {
        enabled = null;
        provider = null;
        base_url = null;
        socket = null;
        api_key = "secret";
        key_requests_per_minute = null;
        models = null;
        dialects = {
          keys = {
            openai_chat = null;
            openai_responses = null;
            anthropic = null;
            google = null;
            ollama = null;
          };
        };
        parameters = { items = {
          keys = {
            name = null;
            default = null;
            json = null;
            drop = null;
          };
        }; };
        system_prefix = null;
        tool_arguments = null;
        prices = { items = {
          keys = {
            model = null;
            input = null;
            output = null;
            cache_read = null;
            cache_write = null;
          };
        }; };
        timeout = null;
        idle_timeout = null;
        connect_timeout = null;
      };
    }; };
    backends = { names = {
      keys = {
        enabled = null;
        provider = null;
        base_url = null;
        socket = null;
        api_key = "secret";
        key_requests_per_minute = null;
        models = null;
        dialects = {
          keys = {
            openai_chat = null;
            openai_responses = null;
            anthropic = null;
            google = null;
            ollama = null;
          };
        };
        parameters = { items = {
          keys = {
            name = null;
            default = null;
            json = null;
            drop = null;
          };
        }; };
        system_prefix = null;
        tool_arguments = null;
        prices = { items = {
          keys = {
            model = null;
            input = null;
            output = null;
            cache_read = null;
            cache_write = null;
          };
        }; };
        timeout = null;
        idle_timeout = null;
        connect_timeout = null;
        agent = null;
        idle_stop = null;
        group = null;
        together = null;
        priority = null;
        price_per_hour = null;
        start_timeout = null;
        max_concurrent = null;
        max_waiting = null;
        wait_timeout = null;
      };
    }; };
    apps = { names = {
      keys = {
        agent = null;
      };
    }; };
    models = { names = {
      keys = {
        targets = { items = {
          keys = {
            upstream = null;
            model = null;
            weight = null;
            base_url = null;
            parameters = { items = {
              keys = {
                name = null;
                default = null;
                json = null;
                drop = null;
              };
            }; };
            system_prefix = null;
          };
        }; };
        strategy = null;
        affinity = null;
        failover = null;
        parameters = { items = {
          keys = {
            name = null;
            default = null;
            json = null;
            drop = null;
          };
        }; };
        system_prefix = null;
        category = null;
      };
    }; };
    categories = { names = {
      keys = {
        description = null;
      };
    }; };
    budgets = { names = {
      keys = {
        limit = null;
        window = null;
        zone = null;
        scope = null;
        soft = null;
        overdraft = null;
        unknown_price = null;
      };
    }; };
    limits = { names = {
      keys = {
        requests_per_minute = null;
        tokens_per_minute = null;
        concurrent = null;
        scope = null;
      };
    }; };
    discovery = {
      keys = {
        enabled = null;
        interval = null;
      };
    };
    tls = {
      keys = {
        host = null;
        https_port = null;
        http_port = null;
        names = null;
        files = {
          keys = {
            cert = null;
            key = null;
          };
        };
        internal_ca = null;
        acme = {
          keys = {
            directory = null;
            ca = null;
            key = null;
            eab_kid = null;
            eab_hmac = "secret";
          };
        };
        hsts = null;
        alarm_webhook = "secret";
      };
    };
    letsencrypt = {
      keys = {
        enabled = null;
        email = null;
        staging = null;
        domains = null;
        challenge = null;
        dns = {
          keys = {
            provider = null;
            api_token = "secret";
            api = null;
            server = null;
            zone = null;
            key_name = null;
            key_secret = "secret";
            algorithm = null;
          };
        };
      };
    };
    relay = {
      keys = {
        enable = null;
        addresses = null;
        domain = null;
        custom_domain = null;
        names = null;
        invite = "secret";
        pins = null;
        ca = null;
        ct_log = null;
        backends = { items = {
          keys = {
            names = null;
            address = null;
            proxy_protocol = null;
          };
        }; };
      };
    };
    peers = { names = {
      keys = {
        node = null;
        addresses = null;
        relays = null;
      };
    }; };
    usage = {
      keys = {
        retention = null;
        totals_retention = null;
        keep_text = {
          keys = {
            keys = null;
            models = null;
          };
        };
        text_retention = null;
      };
    };
    managed = {
      keys = {
        claude_code = null;
      };
    };
    alerts = { names = {
      keys = {
        enabled = null;
        kind = null;
        url = "secret";
        secret = "secret";
        token = "secret";
        events = null;
      };
    }; };
    log = {
      keys = {
        level = null;
        format = null;
      };
    };
    telemetry = {
      keys = {
        endpoint = null;
        headers = "secret";
        traces = null;
        metrics = null;
        sample = null;
        interval = null;
        propagate = null;
      };
    };
    secrets = {
      keys = {
        encryption_key = "secret";
        previous_key = "secret";
      };
    };
  };
}
