#!/bin/sh
# Installs the system packages that Nightshift needs, where they are missing. Needs root only if it has to install.
set -eu

missing=''
command -v git >/dev/null 2>&1 || missing="$missing git"
command -v bwrap >/dev/null 2>&1 || missing="$missing bubblewrap"
command -v flock >/dev/null 2>&1 || missing="$missing util-linux"
[ -n "$missing" ] || exit 0

sudo=''
if [ "$(id -u)" != 0 ]; then
  if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    sudo='sudo'
  else
    echo "nightshift: these packages are missing:$missing" >&2
    echo "nightshift: install them as root, for example: apt-get install --yes$missing" >&2
    exit 2
  fi
fi

echo "nightshift: installing$missing" >&2
if command -v apt-get >/dev/null 2>&1; then
  $sudo apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install --yes -qq --no-install-recommends $missing >&2
elif command -v dnf >/dev/null 2>&1; then
  $sudo dnf install --assumeyes --quiet $missing >&2
elif command -v pacman >/dev/null 2>&1; then
  $sudo pacman --sync --noconfirm --quiet $missing >&2
elif command -v apk >/dev/null 2>&1; then
  $sudo apk add --quiet $missing >&2
else
  echo "nightshift: no known package manager here; install by hand:$missing" >&2
  exit 2
fi
