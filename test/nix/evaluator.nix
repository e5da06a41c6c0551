# A module system small enough to read: options with types, definitions with conditions and priorities, submodules.
# Written for the tests of Gate's own modules, where nixpkgs is not to be had; it knows no more of `lib` than they use,
# so a function that nixpkgs does not have cannot creep in unseen. Names and meanings are those of the NixOS manual.
let
  inherit (builtins)
    all any attrNames attrValues compareVersions concatLists concatMap concatStringsSep elem elemAt filter foldl' head
    isAttrs isBool isFloat isFunction isInt isList isPath isString length listToAttrs map match tail toJSON typeOf;

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

  isNumber = v: isInt v || isFloat v;
  wrong = path: type: values: throw "${at path}: expected ${type.name}, got ${concatStringsSep ", " (map typeOf values)}";
  # A type of values that cannot be merged: all definitions must agree.
  plain = name: check: rec {
    inherit name check;
    merge = path: values:
      if !(all check values) then wrong path { inherit name; } (filter (v: !(check v)) values)
      else if all (v: v == head values) values then head values
      else throw "${at path}: defined twice, differently";
  };
  # `inner`, `step` and `modules` are for test/nix/options.nix, which lists what is inside a type.
  types = rec {
    bool = plain "a boolean" isBool;
    int = plain "an integer" isInt;
    ints = {
      positive = plain "an integer above 0" (v: isInt v && v > 0);
      unsigned = plain "an integer from 0 on" (v: isInt v && v >= 0);
      between = low: high: plain "an integer from ${toString low} to ${toString high}" (v: isInt v && v >= low && v <= high);
    };
    number = plain "a number" isNumber;
    numbers.between = least: most:
      plain "a number from ${toString least} to ${toString most}" (v: isNumber v && v >= least && v <= most);
    numbers.positive = plain "a number above 0" (v: isNumber v && v > 0);
    str = plain "a text" isString;
    nonEmptyStr = plain "a text that is not empty" (v: isString v && match "[[:space:]]*" v == null);
    port = plain "a port" (v: isInt v && v >= 0 && v <= 65535);
    path = plain "an absolute path" (v: (isString v || isPath v || v ? outPath) && match "/.*" (toString v) != null);
    package = plain "a package" (tagged "package");
    enum = choices: plain "one of ${toJSON choices}" (v: elem v choices);
    strMatching = pattern: plain "a text like ${pattern}" (v: isString v && match pattern v != null);
    lines = str // {
      merge = path: values: if all isString values then concatStringsSep "\n" values else wrong path str values;
    };
    either = a: b: {
      name = "${a.name} or ${b.name}";
      check = v: a.check v || b.check v;
      merge = path: values:
        if all a.check values then a.merge path values
        else if all b.check values then b.merge path values
        else wrong path (either a b) values;
    };
    # What JSON can hold; sets are merged.
    json = {
      name = "a JSON value";
      check = v: v == null || isBool v || isNumber v || isString v || isPath v || isList v || isAttrs v;
      merge = path: values:
        if all isAttrs values then (attrsOf json).merge path values
        else if !(all json.check values) then wrong path json values
        else if all (v: v == head values) values then head values
        else throw "${at path}: defined twice, differently";
    };
    # A set with exactly one of these names.
    attrTag = tags: rec {
      name = "a set of one of ${concatStringsSep ", " (attrNames tags)}";
      check = v: isAttrs v && length (attrNames v) == 1 && tags ? ${head (attrNames v)};
      merge = path: values:
        let tag = head (attrNames (head values)); in
        if !(all check values) then wrong path { inherit name; } values
        else { ${tag} = tags.${tag}.type.merge (path ++ [ tag ]) (map (v: v.${tag}) values); };
    };
    nullOr = type: {
      inner = type;
      step = [ ];
      name = "null or ${type.name}";
      check = v: v == null || type.check v;
      merge = path: values: if all (v: v == null) values then null else type.merge path values;
    };
    listOf = type: rec {
      inner = type;
      step = [ "*" ];
      name = "a list of ${type.name}";
      check = isList;
      merge = path: values:
        if all isList values then map (v: type.merge path (strongest (spread v))) (concatLists values)
        else wrong path { inherit name; } values;
    };
    attrsOf = type: rec {
      inner = type;
      step = [ "<name>" ];
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
      modules = lib.toList module;
      name = "a set of options";
      check = isAttrs;
      merge = path: values: evalModules {
        inherit path;
        modules = lib.toList module ++ map (config: { inherit config; }) values;
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

  letters = builtins.genList (i: i) 26;
  lower = map (i: builtins.substring i 1 "abcdefghijklmnopqrstuvwxyz") letters;
  upper = map (i: builtins.substring i 1 "ABCDEFGHIJKLMNOPQRSTUVWXYZ") letters;

  lib = {
    inherit types;
    inherit (builtins)
      all any attrNames attrValues concatLists concatMap concatStringsSep elem elemAt filter foldl' head length listToAttrs
      sort splitVersion stringLength substring tail toJSON;
    mkOption = option: { _type = "option"; } // option;
    mkPackageOption = pkgs: name: _: lib.mkOption {
      type = types.package;
      default = pkgs.${name};
      description = "The ${name} package to use.";
    };
    literalExpression = text: { _type = "literalExpression"; inherit text; };
    literalMD = text: { _type = "literalMD"; inherit text; };
    mkIf = condition: content: { _type = "if"; inherit condition content; };
    mkMerge = contents: { _type = "merge"; inherit contents; };
    mkOverride = priority: content: { _type = "override"; inherit priority content; };
    mkDefault = lib.mkOverride 1000;
    mkForce = lib.mkOverride 50;
    versionAtLeast = version: wanted: compareVersions version wanted >= 0;
    concatLines = lines: concatStringsSep "" (map (line: line + "\n") lines);
    count = predicate: items: length (filter predicate items);
    last = items: builtins.elemAt items (length items - 1);
    toList = value: if isList value then value else [ value ];
    optional = condition: value: if condition then [ value ] else [ ];
    optionals = condition: values: if condition then values else [ ];
    optionalString = condition: text: if condition then text else "";
    optionalAttrs = condition: set: if condition then set else { };
    unique = distinct;
    drop = count: items: builtins.genList (i: elemAt items (i + count)) (lib.max 0 (length items - count));
    imap0 = f: items: builtins.genList (i: f i (elemAt items i)) (length items);
    intersectLists = wanted: filter (item: elem item wanted);
    max = a: b: if a > b then a else b;
    mapAttrs = builtins.mapAttrs;
    mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
    nameValuePair = name: value: { inherit name value; };
    genAttrs = names: f: listToAttrs (map (name: { inherit name; value = f name; }) names);
    filterAttrs = keep: set: removeAttrs set (filter (name: !(keep name set.${name})) (attrNames set));
    attrByPath = path: fallback: set:
      if path == [ ] then set
      else if isAttrs set && set ? ${head path} then lib.attrByPath (tail path) fallback set.${head path}
      else fallback;
    hasAttrByPath = path: set: path == [ ] || (isAttrs set && set ? ${head path} && lib.hasAttrByPath (tail path) set.${head path});
    getAttrFromPath = path: lib.attrByPath path (throw "there is no ${at path}");
    setAttrByPath = path: value: if path == [ ] then value else { ${head path} = lib.setAttrByPath (tail path) value; };
    recursiveUpdate = a: b: a // builtins.mapAttrs
      (name: value: if isAttrs value && isAttrs (a.${name} or null) then lib.recursiveUpdate a.${name} value else value) b;
    concatStrings = concatStringsSep "";
    escapeShellArg = text: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] (toString text)}'";
    concatMapStringsSep = separator: f: items: concatStringsSep separator (map f items);
    hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
    hasSuffix = suffix: text:
      let from = builtins.stringLength text - builtins.stringLength suffix; in
      from >= 0 && builtins.substring from (-1) text == suffix;
    hasInfix = part: text: length (lib.splitString part text) > 1;
    removePrefix = prefix: text: if lib.hasPrefix prefix text then builtins.substring (builtins.stringLength prefix) (-1) text else text;
    removeSuffix = suffix: text:
      if lib.hasSuffix suffix text then builtins.substring 0 (builtins.stringLength text - builtins.stringLength suffix) text else text;
    splitString = separator: text:
      let signs = [ "\\" "." "*" "+" "?" "(" ")" "[" "]" "{" "}" "^" "$" "|" ]; in
      filter isString (builtins.split (builtins.replaceStrings signs (map (sign: "\\${sign}") signs) separator) text);
    toUpper = builtins.replaceStrings lower upper;
    toLower = builtins.replaceStrings upper lower;
    trivial.release = "25.11";
    versionOlder = a: b: compareVersions b a == 1;
    versions = {
      major = version: head (builtins.splitVersion version);
      majorMinor = version: let parts = builtins.splitVersion version; in "${head parts}.${elemAt parts 1}";
    };
    getExe = package: "${package}/bin/${package.name}";
    getExe' = package: program: "${package}/bin/${program}";
    # Insertions, deletions and replacements that turn one text into the other.
    strings.levenshtein = a: b:
      let
        width = builtins.stringLength b;
        row = previous: i: foldl'
          (done: j: done ++ [
            (foldl' lib.min (lib.last done + 1) [
              (elemAt previous (j + 1) + 1)
              (elemAt previous j + (if builtins.substring i 1 a == builtins.substring j 1 b then 0 else 1))
            ])
          ])
          [ (i + 1) ]
          (builtins.genList (j: j) width);
      in
      lib.last (foldl' row (builtins.genList (j: j) (width + 1)) (builtins.genList (i: i) (builtins.stringLength a)));
    min = a: b: if a < b then a else b;
  };

  # Evaluates modules to their configuration. @throws for an option that does not exist, has no value or a wrong one
  evalModules = { modules, path ? [ ], arguments ? { } }:
    let
      load = module:
        let
          made = if isPath module || isString module then import module else module;
          set = if isFunction made then made ({ inherit lib config; } // arguments) else made;
          isLong = set ? options || set ? config || set ? freeformType;
          extra = removeAttrs set [ "options" "config" "imports" "freeformType" "meta" ];
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
      # What no option is for, when the module takes anything: its sets are merged like those of JSON.
      freeform = filter (type: type != null) (map (m: m.freeformType or null) loaded);
      rest = here: node: defs: listToAttrs (concatMap
        (name:
          let inner = below name defs; isKnown = node ? ${name}; in
          if isKnown && tagged "option" node.${name} then [ ]
          else if isKnown then [ { inherit name; value = rest (here ++ [ name ]) node.${name} inner; } ]
          else let found = strongest inner; in
            lib.optional (found != [ ]) { inherit name; value = (head freeform).merge (here ++ [ name ]) found; })
        (distinct (concatMap (d: if isAttrs d.value then attrNames d.value else [ ]) defs)));
      declared = walk path options definitions;
      config = if freeform == [ ] then declared else lib.recursiveUpdate (rest path options definitions) declared;
      missing = if freeform == [ ] then unknown path options definitions else [ ];
    in
    if missing != [ ] then throw "no such option: ${concatStringsSep ", " missing}" else config;
in
{ inherit lib evalModules; }
