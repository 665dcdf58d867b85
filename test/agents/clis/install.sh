#!/bin/sh
# Installs the agents' command lines for `npm run test:agents`, once for each set of versions, beside the user's other
# caches: a sandbox would not see them in a checkout that lies where its clone is.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
place="${XDG_CACHE_HOME:-$HOME/.cache}/nightshift/agent-clis"
if ! cmp -s "$here/package.json" "$place/package.json" || [ ! -e "$place/node_modules/.bin/claude" ]; then
  rm -rf "$place"
  mkdir -p "$place"
  cp "$here/package.json" "$place/package.json.new"
  mv "$place/package.json.new" "$place/package.json"
  (cd "$place" && npm install --no-audit --no-fund --no-package-lock) >&2
fi
echo "$place/node_modules/.bin"
