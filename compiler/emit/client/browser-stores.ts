/** The part of the installer for the stores of Chromium and Firefox, as `installer.ts` takes it. */
export const BROWSER_STORES = String.raw`# Chromium and Firefox have stores of their own, in the home of whoever called sudo.
find_browsers() {
    user=\${SUDO_USER:-} home=\${HOME:-}
    if [ "$(id -u)" != 0 ] || [ -n "$root" ]; then user=''; fi
    if [ -n "$user" ] && command -v getent >/dev/null; then home=$(getent passwd "$user" | cut -d : -f 6); fi
    home="$root$home"
    shared="$home/.pki/nssdb"
}

# One store on each line: that of Chromium, which is made where there is a browser for it, and the profiles of Firefox.
browser_stores() {
    [ "$trust" != macos ] && command -v certutil >/dev/null || return 0
    for store in "$shared" "$home"/.mozilla/firefox/*/ "$home"/snap/firefox/common/.mozilla/firefox/*/ \
        "$home"/snap/chromium/current/.pki/nssdb; do
        if [ -f "$store/cert9.db" ]; then echo "$store"; fi
    done
}

has_browser() {
    for program in chromium chromium-browser google-chrome google-chrome-stable brave-browser microsoft-edge firefox firefox-esr; do
        if command -v "$program" >/dev/null; then return 0; fi
    done
    return 1
}

# A store that Chromium would make when it first starts is made now, and noted as made by us.
make_store() {
    [ "$trust" != macos ] && command -v certutil >/dev/null && [ ! -e "$shared" ] && has_browser || return 0
    as_user mkdir -p "$shared"
    as_user chmod 700 "$shared"
    as_user certutil -N -d "sql:$shared" --empty-password
    as_user touch "$shared/made-for-$NAME"
}

add_to_browsers() {
    make_store
    browser_stores | while read -r store; do
        remove_from_store "$store"
        for file in "$work"/ca-*.crt; do
            named=$(nickname "$file")
            if as_user certutil -A -d "sql:$store" -n "$named" -t C,, -a <"$file"; then
                echo "trusted in $store"
            else
                echo "install-client: $store takes no CA; import it in the browser" >&2
            fi
        done
    done
    if has_browser && [ "$trust" != macos ] && ! command -v certutil >/dev/null; then
        echo "install-client: Chromium and Firefox do not trust it yet: install certutil (package libnss3-tools, nss-tools or nss) and run this again" >&2
    fi
}

# NAME for the first certificate, NAME-2 for the one that follows it some day.
nickname() {
    number=\${1##*/ca-}
    case $number in 1.crt) echo "$NAME" ;; *) echo "$NAME-\${number%.crt}" ;; esac
}

remove_from_store() {
    pattern=$(printf '%s' "$NAME" | sed 's/[.]/\\./g')
    as_user certutil -L -d "sql:$1" </dev/null | sed -n "s/^\($pattern\(-[2-9]\)\{0,1\}\)  *[A-Za-z,]*[[:space:]]*$/\1/p" |
        while read -r found; do as_user certutil -D -d "sql:$1" -n "$found" </dev/null; done
}

remove_from_browsers() {
    browser_stores | while read -r store; do remove_from_store "$store"; done
    [ -f "$shared/made-for-$NAME" ] || return 0
    as_user rm -f "$shared/made-for-$NAME"
    # another program's certificates stay, and so does their store
    if command -v certutil >/dev/null && [ -z "$(as_user certutil -L -d "sql:$shared" | sed '1,/SSL,S.MIME/d' | tr -d '\n ')" ]; then
        as_user rm -f "$shared/cert9.db" "$shared/key4.db" "$shared/pkcs11.txt"
        as_user rmdir "$shared" 2>/dev/null || true
        as_user rmdir "$home/.pki" 2>/dev/null || true
    fi
}
`
