#!/usr/bin/env bash
# boringssl.sh: builds BoringSSL, static and with its assembly, into the user's cache folder. Once per machine and
# version: a minute, 30 MB. cmake/FindBoringSSL.cmake finds it there. Prints where it is with --print.
#
# The source is Debian's package android-platform-external-boringssl, from wherever this machine's own package sources
# are. Debian's binary package of it is built with OPENSSL_SMALL (P-256 four times slower) and as a shared library
# whose names are those of OpenSSL. Needs dpkg-dev, make and g++; no root.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/muster/boringssl
source_package=android-platform-external-boringssl

newest_build() { find "$cache" -mindepth 2 -maxdepth 2 -name libssl.a -printf '%h\n' 2> /dev/null | sort -V | tail -n 1; }

# The version that the package sources offer; empty when they were never read.
offered_version() { apt-cache policy android-libboringssl-dev 2> /dev/null | awk '$1 == "Candidate:" && $2 != "(none)" {print $2}'; }

have() {
  [ "${1:-}" = --print ] && printf '%s\n' "$2"
  exit 0
}

version=$(offered_version)
if [ -z "$version" ]; then
  found=$(newest_build)
  [ -n "$found" ] && have "${1:-}" "$found"
  fail "this machine's package sources do not offer BoringSSL (android-libboringssl-dev); run apt-get update as root, or set BORINGSSL_ROOT"
fi
result=$cache/$version
[ -s "$result/libssl.a" ] && have "${1:-}" "$result"

# Two builds at once: the second waits and then finds the first one's result.
mkdir -p "$cache"
exec 9> "$cache/.lock"
flock 9
[ -s "$result/libssl.a" ] && have "${1:-}" "$result"

for tool in dpkg-source make g++ ar; do
  command -v "$tool" > /dev/null || fail "building BoringSSL needs $tool (packages dpkg-dev, make, g++)"
done

work=$(mktemp -d "$cache/.building.XXXXXX")
trap 'stop_step; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# An apt configuration of its own: source lists are read into the work folder, the machine's stay as they are.
private_apt() {
  apt-get -q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts="$work/parts" \
    -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User="$(id -un)" "$@"
}

fetch_source() {
  mkdir -p "$work"/{lists,cache/archives}/partial "$work/parts" "$work/package"
  apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' \
    | awk '$1 == "Debian" && $4 == "main" {print "deb-src", $2, $3, $4}' | sort -u > "$work/sources.list"
  private_apt update
  cd "$work/package"
  private_apt source --download-only "$source_package=$version"
  dpkg-source -x ./*.dsc "$work/tree"
}

write_makefile() {
  cat > "$work/tree/static.mk" << 'MAKE'
include debian/sources.mk
CFLAGS = -O2 -fPIC -fvisibility=hidden -DNDEBUG -DBORINGSSL_IMPLEMENTATION -fno-strict-aliasing \
	-Isrc/include -Isrc/crypto -Wa,--noexecstack
sources = $(crypto_sources) $(linux_$(MACHINE)_sources)
ifeq ($(linux_$(MACHINE)_sources),)
CFLAGS += -DOPENSSL_NO_ASM
endif
crypto_objects = $(patsubst %.c,obj/%.o,$(filter %.c,$(sources))) $(patsubst %.S,obj/%.o,$(filter %.S,$(sources)))
ssl_objects = $(ssl_sources:%.cc=obj/%.o)

all: libcrypto.a libssl.a
libcrypto.a: $(crypto_objects)
	@rm -f $@; ar rcs $@ $^
libssl.a: $(ssl_objects)
	@rm -f $@; ar rcs $@ $^
obj/%.o: %.c
	@echo $<; mkdir -p $(@D); gcc -std=gnu11 $(CFLAGS) -c $< -o $@
obj/%.o: %.S
	@echo $<; mkdir -p $(@D); gcc $(CFLAGS) -c $< -o $@
obj/%.o: %.cc
	@echo $<; mkdir -p $(@D); g++ -std=gnu++20 -fno-exceptions $(CFLAGS) -c $< -o $@
MAKE
}

compile() {
  make -C "$work/tree" -f static.mk -j"$(nproc)" MACHINE="$(uname -m)"
  mkdir "$work/result"
  mv "$work"/tree/lib{crypto,ssl}.a "$work/result"
  cp -r "$work/tree/src/include" "$work/result"
}

step "Fetching BoringSSL $version" fetch_source
write_makefile
step "Compiling BoringSSL, once per machine" compile
# Complete or not there at all: nobody ever sees half a build.
rm -rf "$result"
mv -T "$work/result" "$result"
have "${1:-}" "$result"
