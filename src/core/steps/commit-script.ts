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
const plainGit = String.raw`
set -u
git() {
  command git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c commit.gpgSign=false -c gc.auto=0 \
    -c maintenance.auto=false -c advice.detachedHead=false -c advice.addEmbeddedRepo=false "$@"
}
unset GIT_INDEX_FILE
export LC_ALL=C GIT_DIR="$PWD/.git" GIT_WORK_TREE="$PWD"`

/**
 * Runs in the agent's sandbox before a fix round, as long as nobody else has our own commit of the round before: what
 * that holds becomes uncommitted again, as the agent left it. Else what this round takes back, in a commit of the agent's
 * own, would be pushed with the history.
 *
 * Environment: NS_OURS (the line by which our commits are known).
 */
export const uncommitScript = String.raw`${plainGit}
git log -1 --format=%B | grep -Fqx "$NS_OURS" || exit 0
git rev-parse --quiet --verify 'HEAD^2' || git reset --quiet --soft 'HEAD^'
`

/**
 * Runs in the agent's sandbox, since the clone's configuration is the agent's by now. Commits what was left
 * uncommitted, keeps what was committed, and packs HEAD since the base. Nothing that it prints is believed.
 *
 * Environment: NS_BASE (SHA), NS_SETUP (tree that set-up left, or nothing), NS_MESSAGE, NS_BUNDLE (path), GIT_AUTHOR_* and GIT_COMMITTER_*.
 */
export const commitScript = String.raw`${plainGit}
for lock in .git/index.lock .git/HEAD.lock; do [ ! -e "$lock" ] || rm -f "$lock"; done

unmerged=$(git ls-files --unmerged 2>&1) || { echo "its .git is no longer a usable repository: $unmerged"; exit 11; }
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
# What the agent locked away is its work all the same; git would leave it out with no more than a warning.
unlock() {
  find . -path ./.git -prune -o -type d ! -perm -u=rwx -exec chmod u+rwx {} ';'
  find . -path ./.git -prune -o -type f ! -perm -u=r -exec chmod u+r {} +
}
stage() { said=$(git add --all 2>&1); }

stage
failed=$?
case "$said" in *'Permission denied'*) unlock; stage; failed=$? ;; esac
[ "$failed" = 0 ] || { absorb; stage; } || { echo "$said"; exit 11; }

# What is as set-up left it goes back to what HEAD has: a merge of HEAD and the index over the tree of set-up. Where both
# changed one file, it is the agent's.
without_setup() {
  git cat-file -e "$NS_SETUP^{tree}" && git rev-parse --quiet --verify HEAD && tree=$(git write-tree) || return 0
  git read-tree HEAD && git read-tree -i -m --aggressive "$NS_SETUP" HEAD "$tree" &&
    [ -z "$(git ls-files --unmerged)" ] || git read-tree "$tree"
}
[ -z "$NS_SETUP" ] || without_setup > /dev/null 2>&1

staged="$NS_BUNDLE.staged"
# Before the first commit of a new root there is no HEAD to compare with.
# What cannot be listed must not look like nothing: the disk may be full.
said=$({ git diff-index --cached HEAD > "$staged" || echo 'all of it' > "$staged"; } 2>&1) \
  || { echo "its changes could not be listed: $said"; exit 11; }
links() { while read -r _ mode _; do [ "$mode" != 160000 ] || return 0; done < "$staged"; return 1; }
if links; then
  absorb
  stage || { echo "$said"; exit 11; }
fi
if [ -s "$staged" ] || [ -e .git/MERGE_HEAD ]; then
  said=$(git commit --quiet --no-verify --message "$NS_MESSAGE" 2>&1)
  # Nothing was left to commit where a repository inside turned out to be empty.
  [ $? = 0 ] || git diff-index --cached --quiet HEAD || { echo "git commit failed: $said"; exit 11; }
fi

pack() { said=$(git bundle create --quiet "$NS_BUNDLE" HEAD "^$NS_BASE" 2>&1); }
pack && exit 0
case "$said" in *'empty bundle'*) ;; *) echo "its .git is no longer a usable repository: $said"; exit 11 ;; esac
[ "$(git rev-parse HEAD)" = "$NS_BASE" ] || { echo 'HEAD was moved back to before the base'; exit 12; }
# It may have committed on a branch of its own and gone back: the newest such branch is the work.
work=$(git for-each-ref --count=1 --sort=-committerdate --no-merged "$NS_BASE" --format='%(objectname)' refs/heads)
[ -n "$work" ] || exit 10
git checkout --quiet --detach "$work" 2>&1 || { echo 'git checkout failed'; exit 11; }
pack || { echo "$said"; exit 11; }
`
