/** What the commit script's exit codes mean; anything else is a failure of git itself. */
export const commitExits = {
  /** A bundle lies in the out folder. */
  work: 0,
  /** Nothing differs from the base, and no branch has a commit that the base lacks. */
  nothing: 10,
  /** `.git` is gone, is no repository any more, or belongs to another folder. */
  broken: 11,
  /** A merge, rebase or the like was left unresolved; the files stand on stdout. */
  unfinished: 12,
} as const

/** The file in the out folder that holds the work. */
export const bundleName = 'work.bundle'
/**
 * Runs in the agent's sandbox, since the clone's configuration is the agent's by now. Commits what was left
 * uncommitted, keeps what was committed, and packs HEAD since the base. Nothing that it prints is believed.
 *
 * Environment: NS_BASE (SHA), NS_MESSAGE, NS_BUNDLE (path), GIT_AUTHOR_* and GIT_COMMITTER_*.
 */
export const commitScript = String.raw`
set -u
git() {
  command git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c commit.gpgSign=false -c gc.auto=0 \
    -c core.quotePath=false -c advice.detachedHead=false -c advice.addEmbeddedRepo=false "$@"
}
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
here=$(pwd -P)
rm -f .git/index.lock .git/HEAD.lock "$NS_BUNDLE"

[ "$(git rev-parse --show-toplevel 2>&1)" = "$here" ] || { echo 'its .git is no longer a usable repository'; exit 11; }
git cat-file -e "$NS_BASE^{commit}" 2>&1 || { echo 'the base commit is gone from its .git'; exit 11; }

unmerged=$(git ls-files --unmerged 2>&1) || { echo "$unmerged"; exit 11; }
[ -z "$unmerged" ] || { echo 'unresolved conflicts:'; git diff --name-only --diff-filter=U; exit 12; }
for state in rebase-merge rebase-apply; do
  [ ! -e ".git/$state" ] || { echo 'a rebase was left unfinished'; exit 12; }
done

# A repository inside the clone would be recorded as a bare pointer, its files lost (or refused, where it has no
# commit): take its files in as files. Submodules of the base are left alone.
absorb() {
  find . -mindepth 2 -name .git -not -path './.git/*' -prune -exec sh -c '
    for inner; do
      git ls-tree "$NS_BASE" -- "$(dirname "$inner")" | grep -q "^160000" || rm -rf -- "$inner"
    done' sh {} +
  git reset --quiet 2>&1
}
said=$(git add --all 2>&1)
failed=$?
case "$said" in
  *'Permission denied'*)
    # What the agent locked away is its work all the same; git would leave it out with no more than a warning.
    find . -path ./.git -prune -o -type d ! -perm -u=rwx -exec chmod u+rwx {} ';'
    find . -path ./.git -prune -o -type f ! -perm -u=r -exec chmod u+r {} +
    said=$(git add --all 2>&1)
    failed=$?
    ;;
esac
[ "$failed" = 0 ] || { absorb; said=$(git add --all 2>&1); } || { echo "$said"; exit 11; }
if git diff-index --cached --diff-filter=AT HEAD 2>/dev/null | grep -q '^:[0-7]* 160000'; then
  absorb
  git add --all 2>&1 || exit 11
fi

# Before the first commit of a new root there is no HEAD to compare with.
if ! git diff-index --cached --quiet HEAD -- 2>/dev/null || [ -e .git/MERGE_HEAD ]; then
  git commit --quiet --no-verify --message "$NS_MESSAGE" 2>&1 || { echo 'git commit failed'; exit 11; }
fi

work=$(git rev-parse --verify --quiet HEAD) || { echo 'HEAD names no commit'; exit 11; }
if [ "$work" = "$NS_BASE" ]; then
  # Nothing here: it may have committed on a branch of its own and gone back. The newest such branch is the work.
  work=$(git for-each-ref --count=1 --sort=-committerdate --no-merged "$NS_BASE" --format='%(objectname)' refs/heads)
  [ -n "$work" ] || exit 10
  git checkout --quiet --detach "$work" 2>&1 || { echo 'git checkout failed'; exit 11; }
fi

git bundle create --quiet "$NS_BUNDLE" HEAD "^$NS_BASE" 2>&1 || { echo 'git bundle failed'; exit 11; }
`
