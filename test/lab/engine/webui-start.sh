#!/bin/sh
# As backend/start.sh of Open WebUI: beside itself, and with a key of its own where none is given.
# https://github.com/open-webui/open-webui/blob/main/backend/start.sh
cd "$(dirname "$0")" || exit
KEY_FILE=${WEBUI_SECRET_KEY_FILE:-.webui_secret_key}
if [ -z "$WEBUI_SECRET_KEY$WEBUI_JWT_SECRET_KEY" ]; then
	echo "Loading WEBUI_SECRET_KEY from file, not provided as an environment variable."
	if ! [ -e "$KEY_FILE" ]; then
		echo "Generating WEBUI_SECRET_KEY"
		head -c 12 /dev/random | base64 >"$KEY_FILE" || exit 1
	fi
	WEBUI_SECRET_KEY=$(cat "$KEY_FILE")
fi
export WEBUI_SECRET_KEY
exec node --disable-warning=ExperimentalWarning webui.ts
