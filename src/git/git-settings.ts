/**
 * The only configuration that the publisher's git reads beside that of repositories it made itself. A receive-pack
 * that serves a push to a path reads it too: nothing here may change what such a repository does, but for hooks.
 */
export const globalConfig = `[safe]
	directory = *
[core]
	hooksPath = /dev/null
	fsmonitor = false
	attributesFile = /dev/null
	excludesFile = /dev/null
	pager = cat
	editor = false
	# Larger files count as binary: no program here holds one in memory twice to compare it.
	bigFileThreshold = 64m
[credential]
	helper =
[protocol]
	allow = never
[gc]
	auto = 0
[maintenance]
	auto = false
[init]
	defaultBranch = main
[submodule]
	recurse = false
[commit]
	gpgSign = false
[push]
	recurseSubmodules = no
	followTags = false
	gpgSign = false
[pack]
	windowMemory = 128m
[diff]
	renames = false
[color]
	ui = false
[http]
	followRedirects = false
	lowSpeedLimit = 1000
	lowSpeedTime = 60
	postBuffer = 16m
[fetch]
	fsckObjects = true
	recurseSubmodules = false
	# Every fetch stays a pack: a mirror never has loose objects, so a clone has few files to copy.
	unpackLimit = 1
[fetch "fsck"]
${historicFaults()}
`

// What old and odd tools left in the history of respectable repositories, and what harms nobody.
function historicFaults(): string {
  const names = [
    'zeroPaddedFilemode',
    'badTimezone',
    'badDate',
    'badDateOverflow',
    'missingSpaceBeforeDate',
    'missingSpaceBeforeEmail',
    'missingNameBeforeEmail',
    'missingEmail',
    'badEmail',
    'badName',
    'zeroPaddedDate',
    'multipleAuthors',
    'nulInCommit',
    'missingTaggerEntry',
    'badTagName',
    'gitmodulesParse',
  ]
  return names.map((name) => `\t${name} = ignore`).join('\n')
}

/**
 * Answers git's question for a name or a password, and only where the question names the very server that they are
 * for: a proxy, or another host, gets nothing.
 */
export const askpassScript = `#!/bin/sh
case "$1" in
  *"'$NIGHTSHIFT_ASKPASS_SCHEME://$NIGHTSHIFT_ASKPASS_HOST'"* | *"@$NIGHTSHIFT_ASKPASS_HOST'"*) ;;
  *) exit 1 ;;
esac
case "$1" in
  Username*) printf '%s\\n' "$NIGHTSHIFT_ASKPASS_USERNAME" ;;
  Password*) printf '%s\\n' "$NIGHTSHIFT_ASKPASS_PASSWORD" ;;
  *) exit 1 ;;
esac
`

/** Never asks, gives up on a dead peer within a minute, and lends nothing of ours to the other side. */
export const sshCommand = [
  'ssh',
  '-o BatchMode=yes',
  '-o ConnectTimeout=15',
  '-o ServerAliveInterval=15',
  '-o ServerAliveCountMax=4',
  '-o ForwardAgent=no',
  '-o ForwardX11=no',
  '-o ClearAllForwardings=yes',
  '-o PermitLocalCommand=no',
].join(' ')

/** Run by a push to a path in the other repository: as us, so nothing that it configured may start a program. */
export const receivePackCommand = [
  'git',
  '-c core.hooksPath=/dev/null',
  '-c core.fsmonitor=false',
  '-c core.alternateRefsCommand=true',
  '-c receive.denyCurrentBranch=refuse',
  '-c receive.autogc=false',
  '-c gc.auto=0',
  'receive-pack',
].join(' ')
