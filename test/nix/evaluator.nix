# A module system small enough to read: options with types, definitions with conditions and priorities, submodules.
# Written for the tests of Gate's own modules, where nixpkgs is not to be had; it knows no more of `lib` than they use,
# so a function that nixpkgs does not have cannot creep in unseen. Names and meanings are those of the NixOS manual.
let
  inherit (builtins)
    all any attrNames attrValues compareVersions concatLists concatMap concatStringsSep elem filter foldl' head isAttrs
    isBool isFloat isFunction isInt isList isPath isString length listToAttrs map match tail toJSON typeOf;

  tagged = tag: value: isAttrs value && value._type or null == tag;
  at = path: if path == [ ] then "the module" else concatStringsSep "." path;
  distinct = foldl' (seen: name: if elem name seen then seen else seen ++ [ name ]) [ ];

  # One definition taken apart: what is left once mkIf, mkMerge and mkOverride are gone. `when` stays unevaluated, so
  # that a condition may depend on options that the same module defines.
  spread = value:
    if tagged "if" value then map (d: d // { when = value.condition && d.when; }) (spread value.content)
    else if tagged "merge" value then concatMap spread value.contents
    else if tagged "override" value then map (d: { inherit (value) priority; } // removeAttrs d [ "priority" ]) (spread value.content)
    else [ { inherit value; when = true; } ];
  priorityOf = d: d.priority or 100;
  # Definitions of one attribute below definitions of a set.
  below = name: concatMap (d:
    if !(isAttrs d.value && d.value ? ${name}) then [ ]
    else map (inner: d // inner // { when = d.when && inner.when; }) (spread d.value.${name}));
  # The values that count: conditions hold, and nothing overrides them.
  strongest = defs:
    let
      real = filter (d: d.when) defs;
      best = foldl' (low: d: if priorityOf d < low then priorityOf d else low) 10000 real;
    in
    map (d: d.value) (filter (d: priorityOf d == best) real);

  wrong = path: type: values: throw "${at path}: expected ${type.name}, got ${concatStringsSep ", " (map typeOf values)}";
  # A type of values that cannot be merged: all definitions must agree.
  plain = name: check: rec {
    inherit name check;
    merge = path: values:
      if !(all check values) then wrong path { inherit name; } (filter (v: !(check v)) values)
      else if all (v: v == head values) values then head values
      else throw "${at path}: defined twice, differently";
  };
  types = rec {
    bool = plain "a boolean" isBool;
    int = plain "an integer" isInt;
    str = plain "a text" isString;
    port = plain "a port" (v: isInt v && v >= 0 && v <= 65535);
    path = plain "an absolute path" (v: (isString v || isPath v) && match "/.*" (toString v) != null);
    package = plain "a package" (tagged "package");
    enum = choices: plain "one of ${toJSON choices}" (v: elem v choices);
    strMatching = pattern: plain "a text like ${pattern}" (v: isString v && match pattern v != null);
    lines = str // {
      merge = path: values: if all isString values then concatStringsSep "\n" values else wrong path str values;
    };
    nullOr = type: {
      name = "null or ${type.name}";
      check = v: v == null || type.check v;
      merge = path: values: if all (v: v == null) values then null else type.merge path values;
    };
    listOf = type: rec {
      name = "a list of ${type.name}";
      check = isList;
      merge = path: values:
        if all isList values then map (v: type.merge path (strongest (spread v))) (concatLists values)
        else wrong path { inherit name; } values;
    };
    attrsOf = type: rec {
      name = "a set of ${type.name}";
      check = isAttrs;
      merge = path: values:
        if !(all isAttrs values) then wrong path { inherit name; } values
        else listToAttrs (concatMap
          (name:
            let found = strongest (below name (map (value: { inherit value; when = true; }) values));
            in if found == [ ] then [ ] else [ { inherit name; value = type.merge (path ++ [ name ]) found; } ])
          (distinct (concatMap attrNames values)));
    };
    submodule = module: {
      name = "a set of options";
      check = isAttrs;
      merge = path: values: evalModules {
        inherit path;
        modules = [ module ] ++ map (config: { inherit config; }) values;
        arguments.name = lib.last path;
      };
    };
    # What systemd.services.<name>.serviceConfig takes: one value, or one per line.
    unitOption = rec {
      name = "a text, number, boolean or path, or a list of them";
      check = v: isString v || isInt v || isFloat v || isBool v || isPath v || (isList v && all (w: !(isList w) && check w) v);
      merge = path: values:
        if !(all check values) then wrong path { inherit name; } values
        else if any isList values then concatMap (v: if isList v then v else [ v ]) values
        else if all (v: v == head values) values then head values
        else throw "${at path}: defined twice, differently";
    };
  };

  lib = {
    inherit types;
    inherit (builtins) attrNames attrValues concatMap concatStringsSep elem filter head length;
    mkOption = option: { _type = "option"; } // option;
    mkIf = condition: content: { _type = "if"; inherit condition content; };
    mkMerge = contents: { _type = "merge"; inherit contents; };
    mkOverride = priority: content: { _type = "override"; inherit priority content; };
    mkDefault = lib.mkOverride 1000;
    mkForce = lib.mkOverride 50;
    versionAtLeast = version: wanted: compareVersions version wanted >= 0;
    concatLines = lines: concatStringsSep "" (map (line: line + "\n") lines);
    count = predicate: items: length (filter predicate items);
    last = items: builtins.elemAt items (length items - 1);
  };

  # Evaluates modules to their configuration. @throws for an option that does not exist, has no value or a wrong one
  evalModules = { modules, path ? [ ], arguments ? { } }:
    let
      load = module:
        let
          made = if isPath module || isString module then import module else module;
          set = if isFunction made then made ({ inherit lib config; } // arguments) else made;
          isLong = set ? options || set ? config;
          extra = removeAttrs set [ "options" "config" "imports" ];
        in
        if isLong && extra != { } then throw "${at path}: a module with options or config cannot also have ${toJSON (attrNames extra)}"
        else concatMap load (set.imports or [ ]) ++ [ (if isLong then set else { config = removeAttrs set [ "imports" ]; }) ];
      loaded = concatMap load modules;
      options = foldl' (join [ ]) { } (map (m: m.options or { }) loaded);
      join = where: a: b: foldl' (acc: name:
        let here = where ++ [ name ]; in
        acc // {
          ${name} =
            if !(acc ? ${name}) then b.${name}
            else if tagged "option" acc.${name} || tagged "option" b.${name} then throw "${at here}: declared twice"
            else join here acc.${name} b.${name};
        }) a (attrNames b);
      definitions = concatMap (m: spread (m.config or { })) loaded;
      value = here: option: defs:
        let found = strongest defs; in
        if found != [ ] then option.type.merge here found
        else if option ? default then option.type.merge here [ option.default ]
        else throw "${at here}: used, but not defined";
      walk = here: node: defs:
        if tagged "option" node then value here node defs
        else builtins.mapAttrs (name: child: walk (here ++ [ name ]) child (below name defs)) node;
      unknown = here: node: defs:
        if tagged "option" node then [ ]
        else concatMap
          (name: if node ? ${name} then unknown (here ++ [ name ]) node.${name} (below name defs) else [ (at (here ++ [ name ])) ])
          (distinct (concatMap (d: if isAttrs d.value then attrNames d.value else [ ]) defs));
      config = walk path options definitions;
      missing = unknown path options definitions;
    in
    if missing != [ ] then throw "no such option: ${concatStringsSep ", " missing}" else config;
in
{ inherit lib evalModules; }
