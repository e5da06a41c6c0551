import { BROWSER_STORES } from './browser-stores.ts'

/**
 * The program of the installer for clients: POSIX sh, for dash, busybox, bash and the sh of macOS. It is read whole
 * before it runs, so that a download that was cut does nothing. GATE_ROOT is put before every path, for tests and
 * images.
 */
export const INSTALLER = String.raw`set -eu

usage() {
    echo "usage: install-client.sh ADDRESS [--yes] [--ca FILE] [--sha256 SUM]"
    echo "       install-client.sh --uninstall [--yes]"
    echo "ADDRESS is the IP address of the gateway. --ca takes the CA from a file instead of downloading it;"
    echo "--sha256 refuses any other CA; --yes does not ask, and needs one of the two where there is a CA."
    echo "From a pipe: sh -s ADDRESS, or sh -s -- --uninstall."
}

fail() {
    echo "install-client: $*" >&2
    exit 1
}

main() {
    root=\${GATE_ROOT:-}
    yes=no uninstall=no server='' ca='' sum=''
    while [ $# -gt 0 ]; do
        case $1 in
            --yes | -y) yes=yes ;;
            --uninstall) uninstall=yes ;;
            --ca) [ $# -gt 1 ] || fail "--ca needs a file"; ca=$2; shift ;;
            --sha256) [ $# -gt 1 ] || fail "--sha256 needs a checksum"; sum=$2; shift ;;
            --help | -h) usage; return 0 ;;
            -*) usage >&2; fail "unknown option $1" ;;
            *) [ -z "$server" ] || fail "give only one address"; server=$1 ;;
        esac
        shift
    done
    find_places
    find_browsers
    if [ -f "$0" ] && grep -q '^find_places() {' "$0"; then echo "This installer: SHA-256 $(sha256 "$0")"; fi
    if [ "$uninstall" = yes ]; then
        remove_all
    else
        install_all
    fi
}

# Where this machine keeps trusted CAs, and who resolves names on it.
find_places() {
    trust=none dns=none
    if [ "$(uname -s)" = Darwin ]; then
        trust=macos dns=macos
        anchor="$root/Library/Application Support/$NAME/ca.crt"
        rules="$root/etc/resolver/$DOMAIN"
        return 0
    fi
    if [ -d "$root/etc/pki/ca-trust/source/anchors" ]; then
        trust=fedora anchor="$root/etc/pki/ca-trust/source/anchors/$NAME.crt"
    elif [ -d "$root/etc/ca-certificates/trust-source/anchors" ]; then
        trust=arch anchor="$root/etc/ca-certificates/trust-source/anchors/$NAME.crt"
    elif command -v update-ca-certificates >/dev/null; then
        trust=debian anchor="$root/usr/local/share/ca-certificates/$NAME.crt"
    fi
    if [ -d "$root/run/systemd/resolve" ]; then
        dns=resolved rules="$root/etc/systemd/resolved.conf.d/$NAME.conf"
    elif [ -d "$root/etc/NetworkManager" ] && command -v dnsmasq >/dev/null; then
        dns=networkmanager rules="$root/etc/NetworkManager/dnsmasq.d/$NAME.conf"
        plugin="$root/etc/NetworkManager/conf.d/$NAME.conf"
    fi
}

${BROWSER_STORES}
as_user() {
    if [ -n "$user" ]; then sudo -u "$user" -- "$@"; else "$@"; fi
}

install_all() {
    case $server in
        '') usage >&2; fail "give the address of the gateway" ;;
        *[!0-9a-fA-F.:]*) fail "not an IP address: $server" ;;
        *.* | *:*) ;;
        *) fail "not an IP address: $server" ;;
    esac
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    if [ "$HAS_CA" = yes ]; then
        [ "$trust" != none ] || fail "no known trust store here: import the CA by hand"
        # a download over HTTP may be anyone's, and the holder of its key can pose as any site
        [ "$yes$ca$sum" != yes ] || fail "--yes needs --sha256 with the sum of the CA, or --ca FILE: run sha256sum on \
the CA of the gateway, or leave --yes out and compare"
        fetch_ca
        echo "CA: SHA-256 $(sha256 "$work/ca.crt")"
        echo "    compare it with the sum of the file on the gateway: the holder of its key can pose as any site"
        echo "will write $anchor"
        browser_stores | sed 's/^/will add it to /'
    fi
    if [ -n "$DOMAIN" ]; then
        [ "$dns" != none ] || fail "neither systemd-resolved nor NetworkManager with dnsmasq: add the name server by hand"
        echo "will ask $server for names below $DOMAIN, by $rules"
    fi
    confirm
    if [ "$HAS_CA" = yes ]; then
        remove_anchors
        for file in "$work"/ca-*.crt; do
            named=$(nickname "$file")
            add_anchor "\${anchor%.crt}\${named#"$NAME"}.crt" "$file"
        done
        reload_trust add
        add_to_browsers
    fi
    if [ -n "$DOMAIN" ]; then
        write_rules
        reload_dns
    fi
    echo "done; --uninstall undoes it"
}

fetch_ca() {
    if [ -n "$ca" ]; then
        cat <"$ca" >"$work/ca.crt"
    else
        [ -n "$PORT" ] || fail "the gateway offers no CA: give one with --ca FILE"
        case $server in *:*) host="[$server]" ;; *) host=$server ;; esac
        if command -v curl >/dev/null; then
            curl -fsS -g --max-time 30 -o "$work/ca.crt" "http://$host:$PORT/$CA_FILE"
        elif command -v wget >/dev/null; then
            wget -q -T 30 -O "$work/ca.crt" "http://$host:$PORT/$CA_FILE"
        else
            fail "needs curl or wget"
        fi
    fi
    grep -q -e '-----BEGIN CERTIFICATE-----' "$work/ca.crt" || fail "the download is not a certificate"
    if grep -q 'PRIVATE KEY' "$work/ca.crt"; then fail "the download contains a private key"; fi
    awk -v base="$work/ca-" '/-----BEGIN CERTIFICATE-----/ { n++ } n { print > (base n ".crt") }' "$work/ca.crt"
    [ -z "$sum" ] || [ "$sum" = "$(sha256 "$work/ca.crt")" ] || fail "the CA is not the one with the SHA-256 $sum"
}

write_rules() {
    case $dns in
        resolved)
            port=''
            [ "$DNS_PORT" = 53 ] || port=":$DNS_PORT"
            case $server$port in *:*:*:[0-9]*) [ -z "$port" ] || server="[$server]" ;; esac
            printf '[Resolve]\nDNS=%s%s\nDomains=~%s\n' "$server" "$port" "$DOMAIN" | put "$rules"
            ;;
        networkmanager)
            printf 'server=/%s/%s#%s\n' "$DOMAIN" "$server" "$DNS_PORT" | put "$rules"
            printf '[main]\ndns=dnsmasq\n' | put "$plugin"
            ;;
        macos) printf 'nameserver %s\nport %s\n' "$server" "$DNS_PORT" | put "$rules" ;;
    esac
}

remove_all() {
    echo "will remove what was installed for $NAME"
    confirm
    if [ "$HAS_CA" = yes ]; then remove_from_browsers; fi
    if [ "$HAS_CA" = yes ] && [ "$trust" != none ] && [ -f "$anchor" ]; then
        remove_anchors
        reload_trust remove
    fi
    if [ -n "$DOMAIN" ] && [ "$dns" != none ]; then
        as_root rm -f "$rules"
        [ "$dns" != networkmanager ] || as_root rm -f "$plugin"
        reload_dns
    fi
    echo "removed"
}

# macOS reads no directory: each certificate is told to it.
add_anchor() {
    put "$1" <"$2"
    [ "$trust" != macos ] || as_root security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain "$1"
}

remove_anchors() {
    for file in "$anchor" "\${anchor%.crt}"-[2-9].crt; do
        [ -f "$file" ] || continue
        [ "$trust" != macos ] || as_root security remove-trusted-cert -d "$file"
        as_root rm -f "$file"
    done
}

reload_trust() {
    case $trust-$1 in
        macos-*) ;;
        debian-add) as_root update-ca-certificates ;;
        debian-remove) as_root update-ca-certificates --fresh ;;
        fedora-*) as_root update-ca-trust extract ;;
        arch-*) as_root update-ca-trust ;;
    esac
}

reload_dns() {
    case $dns in
        resolved) as_root systemctl restart systemd-resolved ;;
        networkmanager) as_root systemctl reload NetworkManager ;;
        macos) as_root dscacheutil -flushcache ;;
    esac
}

# The script itself may come from standard input, so the answer comes from the terminal.
confirm() {
    [ "$yes" = no ] || return 0
    if ! (: </dev/tty) 2>/dev/null; then fail "no terminal to ask on: look at what it will do, then add --yes"; fi
    printf 'go on? [y/N] ' >/dev/tty
    read -r answer </dev/tty || answer=n
    case $answer in [yY]*) ;; *) fail "nothing was changed" ;; esac
}

# Writes standard input to a file, whole or not at all.
put() {
    as_root mkdir -p "$(dirname "$1")"
    as_root tee "$1.new" >/dev/null
    as_root chmod 644 "$1.new"
    as_root mv "$1.new" "$1"
}

as_root() {
    if [ -n "$root" ] || [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

sha256() {
    if command -v sha256sum >/dev/null; then sha256sum <"$1" | cut -d ' ' -f 1; else shasum -a 256 <"$1" | cut -d ' ' -f 1; fi
}

main "$@"
`.replaceAll('\\${', '${')
