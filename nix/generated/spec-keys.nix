# Made by "npm run generate"; changes here are lost.
# Keys of the spec, spelled as in TOML.
{
  keys = {
    "$schema" = null;
    gate = {
      keys = {
        profile = null;
        domain = null;
        instance = null;
        image = null;
        keep_generations = null;
        memory = null;
        cache = null;
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
            allowed_origins = null;
            allowed_hosts = null;
            max_body = null;
            max_buffered = null;
            max_connections = null;
            max_connections_per_address = null;
            max_concurrent = null;
            headers_timeout = null;
            body_timeout = null;
            stall_timeout = null;
            drain_timeout = null;
            open_firewall = null;
            open_firewall_on_interfaces = null;
          };
        };
        tls = {
          keys = {
            acme = {
              keys = {
                email = null;
                domains = null;
                challenge = null;
                staging = null;
                directory = null;
                ca = null;
                key = null;
                eab_kid = null;
                eab_hmac = "secret";
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
            files = {
              keys = {
                cert = null;
                key = null;
              };
            };
            internal_ca = null;
            host = null;
            https_port = null;
            http_port = null;
            names = null;
            hsts = null;
            alarm_webhook = "secret";
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
          };
        };
        discovery = {
          keys = {
            enabled = null;
            interval = null;
          };
        };
        network = {
          keys = {
            allow = null;
            resolvers = null;
          };
        };
        managed = {
          keys = {
            claude_code = null;
          };
        };
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
        engine = null;
        image = null;
        image_archive = null;
        model = null;
        files = { names = null; };
        hub = {
          keys = {
            token = "secret";
          };
        };
        router = {
          keys = {
            directory = null;
            presets = null;
            max_loaded = null;
          };
        };
        gpu = {
          keys = {
            kind = null;
            devices = null;
          };
        };
        idle_stop = null;
        group = null;
        together = null;
        priority = null;
        preload = null;
        max_concurrent = null;
        max_waiting = null;
        wait_timeout = null;
        price_per_hour = null;
        memory = null;
        cpus = null;
        pids = null;
        shm = null;
        uid = null;
        listen = null;
        port = null;
        container_port = null;
        network = null;
        links = null;
        api_key = "secret";
        expose = null;
        args = null;
        environment = { names = null; };
        secrets = { names = "secret"; };
        volumes = { items = {
          keys = {
            name = null;
            path = null;
          };
        }; };
        mounts = { items = {
          keys = {
            source = null;
            path = null;
            read_only = null;
            relabel = null;
          };
        }; };
        config_files = { items = {
          keys = {
            path = null;
            text = null;
            source = null;
          };
        }; };
        user = null;
        ulimits = {
          keys = {
            memlock = null;
            nofile = null;
            stack = null;
          };
        };
        time_zone = null;
        read_only = null;
        notify = null;
        health = {
          keys = {
            command = null;
            interval = null;
            start_interval = null;
            timeout = null;
            retries = null;
            start_period = null;
          };
        };
        pull_timeout = null;
        start_timeout = null;
        stop_timeout = null;
      };
    }; };
    defaults = {
      keys = {
        backend = {
          keys = {
            engine = null;
            image = null;
            image_archive = null;
            model = null;
            files = { names = null; };
            hub = {
              keys = {
                token = "secret";
              };
            };
            router = {
              keys = {
                directory = null;
                presets = null;
                max_loaded = null;
              };
            };
            gpu = {
              keys = {
                kind = null;
                devices = null;
              };
            };
            idle_stop = null;
            group = null;
            together = null;
            priority = null;
            preload = null;
            max_concurrent = null;
            max_waiting = null;
            wait_timeout = null;
            price_per_hour = null;
            memory = null;
            cpus = null;
            pids = null;
            shm = null;
            listen = null;
            container_port = null;
            network = null;
            links = null;
            api_key = "secret";
            args = null;
            environment = { names = null; };
            secrets = { names = "secret"; };
            volumes = { items = {
              keys = {
                name = null;
                path = null;
              };
            }; };
            mounts = { items = {
              keys = {
                source = null;
                path = null;
                read_only = null;
                relabel = null;
              };
            }; };
            config_files = { items = {
              keys = {
                path = null;
                text = null;
                source = null;
              };
            }; };
            user = null;
            ulimits = {
              keys = {
                memlock = null;
                nofile = null;
                stack = null;
              };
            };
            time_zone = null;
            read_only = null;
            notify = null;
            health = {
              keys = {
                command = null;
                interval = null;
                start_interval = null;
                timeout = null;
                retries = null;
                start_period = null;
              };
            };
            pull_timeout = null;
            start_timeout = null;
            stop_timeout = null;
          };
        };
      };
    };
    models = { names = {
      keys = {
        category = null;
        targets = { items = {
          keys = {
            backend = null;
            upstream = null;
            alias = null;
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
    proxy = {
      keys = {
        engine = null;
        http_port = null;
        https_port = null;
        aliases = null;
        hsts = null;
      };
    };
    dns = {
      keys = {
        engine = null;
        listen = null;
        port = null;
        forward = null;
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
    relays = { names = {
      keys = {
        https_port = null;
        p2p_port = null;
        metrics_port = null;
        bind_address = null;
        log_level = null;
        domain_suffix = null;
        allow_from = null;
        trusted_proxies = null;
        public_address = null;
        invite = {
          keys = {
            required = null;
          };
        };
        registry = {
          keys = {
            kind = null;
            path = null;
            endpoints = null;
            ca_file = null;
            cert_file = null;
            key_file = null;
            user = null;
            password = "secret";
          };
        };
        limits = {
          keys = {
            visitors = null;
            unparsed = null;
            open_per_address = null;
            burst_per_address = null;
            new_per_address_per_second = null;
            tunnels = null;
            tunnels_per_node = null;
            tunnels_per_address = null;
            registrations_per_minute = null;
            streams_per_node = null;
            bytes_per_second_per_node = null;
            daily_bytes_per_node = null;
            challenges_per_hour = null;
            names_per_node = null;
            buffered = null;
            window = null;
            idle_timeout = null;
            drain_timeout = null;
          };
        };
        tls = {
          keys = {
            cert_file = null;
            key_file = null;
            acme = {
              keys = {
                enabled = null;
                directory = null;
                email = null;
                ca_file = null;
              };
            };
          };
        };
        open_firewall = null;
        open_firewall_on_interfaces = null;
        dns = {
          keys = {
            enabled = null;
            provider = null;
            api_token = "secret";
            zone_id = null;
            rfc2136 = {
              keys = {
                server = null;
                zone = null;
                key_name = null;
                algorithm = null;
                secret = "secret";
              };
            };
          };
        };
      };
    }; };
    sandbox = {
      keys = {
        enable = null;
        runtime = null;
        allow_unisolated = null;
        image = null;
        timeout = null;
        memory = null;
        cpus = null;
        network = null;
        languages = null;
      };
    };
    client = {
      keys = {
        enable = null;
        ca = null;
        port = null;
      };
    };
  };
}
