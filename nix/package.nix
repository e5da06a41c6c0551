# Gate, laid out below $out as an installation is below /usr: lib/gate with Node, the compiled sources and the
# packages; bin with the commands. Every archive is checked by its hash in package-lock.json, so a new version of a
# package needs no change here. Shipped units are left out: the module makes them.
{
  lib,
  buildNpmPackage,
  cacert,
  importNpmLock,
  installShellFiles,
  makeWrapper,
  nodejs_24,
  python3,
  runCommand,
  stdenv,
  testers,
}:
let
  npm = import ./npm-lock.nix {
    inherit
      lib
      cacert
      nodejs_24
      runCommand
      ;
  };
  inherit (npm) package;
  machines = import ./tests { inherit lib testers; };
in
buildNpmPackage {
  pname = package.name;
  inherit (package) version;

  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../LICENSE
      ../agent
      ../bin
      ../compiler
      ../config
      ../ctl
      ../daemon
      ../docs
      ../host
      ../package-lock.json
      ../package.json
      ../schemas
      ../scripts
      ../pki
      ../store
      ../syntax
      ../system
      # which scripts/man-pages.ts reads by way of the compiler's goldens
      ../test/support/golden.ts
      ../tsconfig.build.json
      ../tsconfig.json
      ../wire
    ];
  };

  nodejs = nodejs_24;
  npmDeps = importNpmLock { inherit (npm) package packageLock packageSourceOverrides; };
  npmConfigHook = importNpmLock.npmConfigHook;

  nativeBuildInputs = [
    installShellFiles
    makeWrapper
    # node-gyp, for the packages with code in C++; the hook above names Node's headers to it
    python3
  ];

  # the archive brings binaries of its own, which are for other distributions; node-pty has been compiled by now
  preBuild = ''
    npm --prefix node_modules/better-sqlite3 run build-release
  '';

  installPhase = ''
    runHook preInstall

    mkdir -p $out/lib/gate $out/bin $out/share/doc/gate
    cp -r dist $out/lib/gate/
    # not the one of the build, which names archives in the store
    cp ${../package.json} $out/lib/gate/package.json
    cp --parents -r ${lib.escapeShellArgs npm.productionPaths} $out/lib/gate/
    # of the packages with code in C++, only what runs
    for addon in better-sqlite3/better_sqlite3 node-pty/pty; do
      folder=$out/lib/gate/node_modules/''${addon%/*}
      rm -rf $folder/{deps,prebuilds,src}
      find $folder/build -type f ! -path "$folder/build/Release/''${addon#*/}.node" -delete
    done
    ln -s ${lib.getExe nodejs_24} $out/lib/gate/node
    cp docs/*.md $out/share/doc/gate/
    cp LICENSE $out/share/doc/gate/copyright
    ${lib.concatLines (
      lib.mapAttrsToList (
        command: program:
        "makeWrapper $out/lib/gate/node $out/bin/${command} --add-flags $out/lib/gate/${program}"
      ) package.bin
    )}
    runHook postInstall
  '';

  # made from what the programs themselves say
  postInstall = lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    export HOME=$TMPDIR
    for shell in bash zsh fish; do
      $out/bin/gatectl completion $shell > gatectl.$shell
    done
    installShellCompletion gatectl.{bash,zsh,fish}

    mkdir pages
    node --input-type=module --eval "
      import { writeFileSync } from 'node:fs'
      import { manPages } from './scripts/man-pages.ts'
      const date = '$(date --utc --date="@$SOURCE_DATE_EPOCH" +%F)'
      for (const [file, text] of Object.entries(manPages(date))) writeFileSync('pages/' + file, text)
    "
    installManPage pages/*
  '';

  doInstallCheck = stdenv.buildPlatform.canExecute stdenv.hostPlatform;
  installCheckPhase = ''
    runHook preInstallCheck
    $out/bin/gate-daemon --version | grep -F ${package.version}
    # load what was compiled
    cd $out/lib/gate
    ./node -e 'new (require("better-sqlite3"))(":memory:"); require("node-pty")'
    runHook postInstallCheck
  '';

  passthru = {
    nodejs = nodejs_24;
    inherit (machines) tests;
  };

  meta = {
    inherit (package) description;
    license = lib.licenses.mit;
    mainProgram = "gate-daemon";
    platforms = [
      "x86_64-linux"
      "aarch64-linux"
    ];
  };
}
