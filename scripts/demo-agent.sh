#!/bin/sh
# Stands in for a coding agent in the demo: does one of three small pieces of real work on this repository, after what
# the prompt asks for.
set -eu

case "$NIGHTSHIFT_PROMPT" in
  *rooms*)
    echo "Counting the lines of each room"
    {
      echo '# Rooms'
      echo
      echo '| room | files | lines |'
      echo '|---|---|---|'
      for room in src/*/; do
        files=$(find "$room" -name '*.ts' | wc -l)
        lines=$(find "$room" -name '*.ts' -exec cat {} + | wc -l)
        echo "| \`$room\` | $files | $lines |"
      done
    } > ROOMS.md
    ;;
  *tests*)
    echo "Listing what the tests promise"
    {
      echo '# What the tests promise'
      echo
      grep -rhoE "^ *(it|test)\('[^']+'" test | sed -E "s/^ *(it|test)\('/- /; s/'$//" | sort -u
    } > PROMISES.md
    ;;
  *history*)
    echo "Writing down the history, and committing it by itself"
    git log --format='- %ad %s' --date=short > HISTORY.md
    git add HISTORY.md
    git commit --quiet --message 'Write down the history'
    ;;
  *)
    echo "no idea what to do" >&2
    exit 1
    ;;
esac
