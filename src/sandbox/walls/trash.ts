// Owns the trash of a workspace as a command meets it: the rm that moves instead of deleting, and the scripts that list,
// restore and empty. All of them run inside a box, where what a command has planted in the trash can harm nobody.

/** Shown read-only in every box; first in PATH when the trash is in use. */
export const SHIM_FOLDER = '/etc/shims';
export const TRASH = '.trash';

/**
 * rm in a POSIX shell. What lies in the workspace is moved to .trash/TIME-N/item, with where it was in .trash/TIME-N/was;
 * anything else really goes. The trash itself is the owner's to empty. No backslash may be in here: shells print them
 * differently.
 */
export const RM_SHIM = `#!/bin/sh
real=/usr/bin/rm
[ -x "$real" ] || real=/bin/rm
root=/workspace
trash=$root/${TRASH}
force= recursive= verbose= ask= dir= slash= failed=0
say() { printf 'rm: %s%s' "$1" '
' >&2; }
bad() { say "$1"; failed=1; }
for word; do
  case $word in
    --) break ;;
    --help|--version) exec "$real" "$word" ;;
  esac
done
# Options may stand anywhere before --, as with the real one; what is left goes round once and comes out as operands.
left=$#
plain=
while [ "$left" -gt 0 ]; do
  word=$1
  shift
  left=$((left-1))
  if [ -n "$plain" ]; then set -- "$@" "$word"; continue; fi
  case $word in
    --) plain=1 ;;
    --recursive) recursive=1 ;;
    --force) force=1 ask= ;;
    --verbose) verbose=1 ;;
    --dir) dir=1 ;;
    --interactive|--interactive=always) ask=each force= ;;
    --interactive=once) ask=once force= ;;
    --interactive=never) ask= ;;
    --no-preserve-root) slash=1 ;;
    --preserve-root|--preserve-root=all|--one-file-system) ;;
    --*) say "unrecognized option '$word'"; exit 1 ;;
    -?*)
      flags=\${word#-}
      while [ -n "$flags" ]; do
        rest=\${flags#?}
        case \${flags%"$rest"} in
          r|R) recursive=1 ;;
          f) force=1 ask= ;;
          i) ask=each force= ;;
          I) ask=once force= ;;
          v) verbose=1 ;;
          d) dir=1 ;;
          *) say "invalid option -- '\${flags%"$rest"}'"; exit 1 ;;
        esac
        flags=$rest
      done ;;
    *) set -- "$@" "$word" ;;
  esac
done
if [ $# -eq 0 ]; then
  [ -n "$force" ] && exit 0
  say 'missing operand'
  exit 1
fi
yes() {
  printf 'rm: remove %s? ' "'$1'" >&2
  read -r answer || return 1
  case $answer in y*|Y*) return 0 ;; esac
  return 1
}
if [ "$ask" = once ] && { [ $# -gt 3 ] || [ -n "$recursive" ]; }; then yes "$# arguments" || exit 0; fi
# Moves $1, the folder $2 and the name $3 of it in the workspace.
keep() {
  mkdir -p -m 700 "$trash" || return 1
  at=$(date -u +%Y%m%d-%H%M%S)
  n=1
  until mkdir -m 700 "$trash/$at-$n" 2>/dev/null; do
    n=$((n+1))
    [ "$n" -le 100000 ] || return 1
  done
  where=\${2#"$root"}
  printf '%s' "\${where#/}\${where:+/}$3" >"$trash/$at-$n/was"
  if mv -T -- "$2/$3" "$trash/$at-$n/item"; then [ -z "$verbose" ] || printf "removed '%s'%s" "$1" '
'; return 0; fi
  "$real" -rf -- "$trash/$at-$n"
  return 1
}
# Everything in the workspace but the trash.
keep_all() {
  for item in "$root"/* "$root"/.[!.]* "$root"/..?*; do
    name=\${item##*/}
    if [ "$name" != ${TRASH} ] && { [ -e "$item" ] || [ -L "$item" ]; }; then keep "$item" "$root" "$name" || failed=1; fi
  done
}
gone() {
  path=$1
  while [ "\${path%/}" != "$path" ] && [ "$path" != / ]; do path=\${path%/}; done
  name=\${path##*/}
  case $name in .|..) bad "refusing to remove '.' or '..' directory: skipping '$1'"; return ;; esac
  case $path in
    /) folder=/ ;;
    */*) folder=\${path%/*} folder=\${folder:-/} ;;
    *) folder=. ;;
  esac
  if [ ! -e "$path" ] && [ ! -L "$path" ]; then
    [ -n "$force" ] || bad "cannot remove '$1': No such file or directory"
    return
  fi
  real_folder=$(CDPATH= cd -P -- "$folder" 2>/dev/null && pwd -P && printf x) || { bad "cannot remove '$1': Permission denied"; return; }
  real_folder=\${real_folder%??}
  full=$real_folder/$name
  [ "$real_folder" != / ] || full=/$name
  if [ -d "$path" ] && [ ! -L "$path" ] && [ -z "$recursive" ]; then
    if [ -n "$dir" ]; then rmdir -- "$path" || failed=1; else bad "cannot remove '$1': Is a directory"; fi
    return
  fi
  if [ "$ask" = each ]; then yes "$1" || return; fi
  case $full in
    /)
      if [ -z "$slash" ]; then
        bad "it is dangerous to operate recursively on '/'"
        say 'use --no-preserve-root to override this failsafe'
        return
      fi
      keep_all
      bad "cannot remove '/': Read-only file system" ;;
    "$root") keep_all; bad "cannot remove '$1': Device or resource busy" ;;
    "$trash"|"$trash"/*) bad "cannot remove '$1': the trash is emptied by its owner (openclaw trash empty)" ;;
    "$root"/*) keep "$1" "$real_folder" "$name" || bad "cannot remove '$1'" ;;
    *) "$real" -r \${force:+-f} \${verbose:+-v} -- "$path" || failed=1 ;;
  esac
}
for operand; do gone "$operand"; done
exit "$failed"
`;

/** Ids as the shim makes them; whatever else lies there is nobody's business. */
export const TRASH_ID = /^\d{8}-\d{6}-\d{1,6}$/;

/** For each: id, kilobytes, where it was; each ended by NUL. */
export const LIST_TRASH = `cd /workspace/${TRASH} 2>/dev/null || exit 0
for id in *; do
  [ -f "$id/was" ] && [ ! -L "$id/was" ] && { [ -e "$id/item" ] || [ -L "$id/item" ]; } || continue
  set -- $(du -sk -- "$id/item" 2>/dev/null)
  printf '%s@%s@' "$id" "\${1:-0}" | tr @ '\\000'
  head -c 4096 -- "$id/was" | tr -d '\\000'
  printf @ | tr @ '\\000'
done`;

/** $1 the id, $2 where to. What stands there is never replaced. */
export const RESTORE_FROM_TRASH = `set -eu
cd /workspace
[ ! -e "$2" ] && [ ! -L "$2" ] || { echo "$2 exists" >&2; exit 3; }
case $2 in */*) mkdir -p -- "\${2%/*}" ;; esac
mv -nT -- "${TRASH}/$1/item" "$2"
[ ! -e "${TRASH}/$1/item" ] && [ ! -L "${TRASH}/$1/item" ] || { echo "$2 exists" >&2; exit 3; }
exec /bin/rm -rf -- "${TRASH}/$1"`;

/** The ids that go. */
export const EMPTY_TRASH = `cd /workspace/${TRASH} && exec /bin/rm -rf -- "$@"`;
