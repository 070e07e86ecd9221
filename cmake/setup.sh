# shellcheck shell=bash
# Sourced by run, test and cmake/boringssl.sh: what the machine needs before anything can be built.
# Everything here is idempotent, and when there is nothing to do it takes a fraction of a second.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
log_folder=${MUSTER_LOG_FOLDER:-$top/build/log}
step_job=
step_log=

say() { printf '%s\n' "$*" >&2; }
fail() {
  say "muster: $*"
  exit 1
}

# Ends the step in progress with everything it started. A program that sources this file and sets traps of its own
# calls it from them.
stop_step() {
  [ -n "$step_job" ] && kill -TERM -- "-$step_job" 2> /dev/null
  step_job=
}
trap 'stop_step; printf "\n" >&2; exit 130' INT TERM

# step TITLE COMMAND...: runs the command with its output in a log file and shows that it is alive: on a terminal the
# time and the last line of the log, elsewhere a line now and then. A failure shows the end of the log, or nothing with
# -q, for callers that say it better. The caller sees the command's exit status.
step() {
  local quiet=
  [ "$1" = -q ] && quiet=yes && shift
  local title=$1 status=0 began=$SECONDS shown=$SECONDS last
  shift
  mkdir -p "$log_folder"
  local log=$log_folder/${title//[^a-zA-Z0-9]/-}.log
  step_log=$log
  # A process group of its own, so that Ctrl-C can end the compilers too and not only the shell.
  set -m
  "$@" > "$log" 2>&1 < /dev/null &
  step_job=$!
  set +m
  [ -t 2 ] || say "$title ..."
  while kill -0 "$step_job" 2> /dev/null; do
    sleep 0.2
    if [ -t 2 ]; then
      last=$(tail -c 300 "$log" 2> /dev/null | tr '\r' '\n' | tail -n 1)
      printf '\r\033[K%s  %ss  %.*s' "$title" "$((SECONDS - began))" "$((${COLUMNS:-80} - ${#title} - 10))" "$last" >&2
    elif ((SECONDS - shown >= 20)); then
      shown=$SECONDS
      say "  $((SECONDS - began)) s: $(tail -n 1 "$log" | cut -c 1-100)"
    fi
  done
  wait "$step_job" || status=$?
  step_job=
  [ -t 2 ] && printf '\r\033[K' >&2
  if [ -n "$quiet" ] && ((status != 0)); then
    :
  elif ((status != 0)); then
    tail -n 40 "$log" >&2
    say "$title: failed after $((SECONDS - began)) s; the whole log: $log"
  elif ((SECONDS - began >= 2)); then
    say "$title: done in $((SECONDS - began)) s"
  fi
  return "$status"
}

# as_root COMMAND...: directly or through sudo, with the environment apt wants.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

# missing_packages NAME...: those that are not installed, one per line.
missing_packages() {
  local installed
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2> /dev/null | sed -n 's/ installed$//p')
  printf '%s\n' "$@" | grep -vxF -e "$installed"
}

# What apt complained about first in the step before.
apt_error() {
  local line
  line=$(grep -m 1 -E '^(E:|Err:|W: Failed)' "$step_log")
  [[ $line == Err:* ]] && line=$(grep -m 1 -A 1 '^Err:' "$step_log" | tr -s '\n ' ' ')
  printf '%s' "${line:-no reason given}"
}

# install_packages NAME...: does nothing when all are there. Fails with one line that names what is missing.
install_packages() {
  local missing name stale=
  command -v dpkg-query > /dev/null && command -v apt-get > /dev/null \
    || fail "this is made for Debian 12, and here is no dpkg; install what cmake/packages.txt lists and use cmake --preset release"
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} == 0)) && return 0
  if [ "$(id -u)" != 0 ]; then
    command -v sudo > /dev/null \
      || fail "packages are missing and here is no sudo; as root: apt-get install ${missing[*]}"
    # Asked for here, in the foreground: the installation itself runs without a terminal.
    sudo -v || fail "packages are missing; as root: apt-get install ${missing[*]}"
  fi
  step -q "Reading package lists" as_root apt-get -q -o APT::Update::Error-Mode=any update \
    || stale="; the package lists could not be renewed: $(apt_error)"
  for name in "${missing[@]}"; do
    [ -n "$(apt-cache madison "$name" 2> /dev/null)" ] \
      || fail "the package $name, which Debian 12 has, is unknown to this machine's package sources${stale:-; see /etc/apt}"
  done
  step -q "Installing ${#missing[@]} packages" as_root apt-get -q -y --no-install-recommends install "${missing[@]}" \
    || fail "could not install ${missing[*]}: $(apt_error)$stale; the whole log: $step_log"
}

# The names in cmake/packages.txt.
listed_packages() { sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$top/cmake/packages.txt"; }

# Packages, then BoringSSL. Sets cmake_arguments for the configure step.
setup() {
  local packages
  mapfile -t packages < <(listed_packages)
  install_packages "${packages[@]}" "$@"
  cmake_arguments=()
  if [ -n "${BORINGSSL_ROOT:-}" ]; then
    cmake_arguments+=("-DBORINGSSL_ROOT=$BORINGSSL_ROOT")
  elif ! "$top/cmake/boringssl.sh"; then
    say "muster: BoringSSL could not be built from source; taking Debian's binary, whose handshakes cost twice as much"
    install_packages android-libboringssl-dev
  fi
}

# build PRESET TARGET...: configures and builds; all targets when none is named.
build() {
  local preset=$1
  shift
  cd "$top" || exit 1
  step "Configuring $preset" cmake --preset "$preset" "${cmake_arguments[@]}" || exit 1
  step "Building $preset" cmake --build "build/$preset" ${1:+--target "$@"} || exit 1
}
