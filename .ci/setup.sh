#!/usr/bin/env bash
# Installs the packages of .ci/packages. Silent when nothing is missing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
list=$here/packages
suite=bookworm-backports
sections=()

usage='usage: ./dev setup [--check] [SECTION...]

Installs the Debian packages of .ci/packages, as root or through sudo, and adds the
suite bookworm-backports when a package needs it and no source has it yet.

  SECTION    build, test, bench, fuzz or profile; without one: build and test. The packages
             of `bench` bring database servers and those of `fuzz` another compiler, so only
             `./dev bench` and `./dev fuzz` ask for them; those of `profile` are for
             tests/bench/flame.py.
  --check    install nothing; name what is missing and end with status 1 if anything is'

fail() { echo "setup: $*" >&2; exit 1; }

check=
for argument in "$@"; do
  case $argument in
    -h|--help) echo "$usage"; exit 0 ;;
    --check) check=1 ;;
    build|test|bench|fuzz|profile) sections+=("$argument") ;;
    *) echo "setup: unknown argument '$argument'; see ./dev setup --help" >&2; exit 2 ;;
  esac
done
[[ ${#sections[@]} -gt 0 ]] || sections=(build test)

# Prints "name" or "name backports" for each package of the wanted sections.
wanted() {
  awk -v sections=" ${sections[*]} " '
    { sub(/#.*/, "") }
    /^\[/ { gsub(/[][ ]/, ""); on = index(sections, " " $0 " "); next }
    NF && on { print $1, $2, $3 }' "$list"
}

# Prints what is not installed, or not from where it should come.
missing() {
  local name origin program status version
  local -A installed
  while read -r name status version; do
    [[ $status == installed ]] && installed[$name]=$version
  done < <(wanted | cut -d' ' -f1 |
    xargs dpkg-query -W -f '${Package} ${db:Status-Status} ${Version}\n' 2>/dev/null)
  while read -r name origin program; do
    if [[ $origin == command ]]; then
      command -v "${program:-$name}" >/dev/null || echo "$name"
      continue
    fi
    version=${installed[$name]-}
    if [[ -z $version || ( $origin == backports && $version != *~bpo12* ) ]]; then
      echo "$name $origin"
    fi
  done < <(wanted)
}

# shellcheck disable=SC1091
release=$(. /etc/os-release 2>/dev/null && echo "${ID-} ${VERSION_ID-}") || true
[[ $release == "debian 12" ]] || fail "this is '${release:-an unknown system}', not Debian 12" \
  "(bookworm), whose packages Troupe is built on; run it in a Debian 12 machine or container"

todo=$(missing)
[[ -n $todo ]] || exit 0
names=$(cut -d' ' -f1 <<<"$todo" | xargs)
if [[ -n $check ]]; then
  echo "setup: missing: $names" >&2
  exit 1
fi

if [[ $(id -u) == 0 ]]; then
  root=(env DEBIAN_FRONTEND=noninteractive)
elif command -v sudo >/dev/null; then
  root=(sudo env DEBIAN_FRONTEND=noninteractive)
else
  fail "these packages are missing, and installing them needs root or sudo: $names"
fi
apt=("${root[@]}" apt-get -qq -o Dpkg::Use-Pty=0 -o APT::Install-Recommends=0)

# Prints "URI keyring" of a suite among the machine's sources. apt knows a source's origin only
# after an update. The keyring is empty where apt has none to tell.
source_of() {
  apt-get indextargets --format '$(RELEASE)|$(COMPONENT)|$(ORIGIN)|$(SITE)' \
      'Created-By: Packages' |
    awk -F'|' -v suite="$1" '$1 == suite && $2 == "main" && $3 ~ /^Debian/ { print $4; exit }'
}

add_backports() {
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  local file=/etc/apt/sources.list.d/troupe-backports.sources
  local uri
  # The machine's own mirror first; it may be one that has no backports.
  for uri in "$(source_of bookworm)" http://deb.debian.org/debian; do
    [[ -n $uri ]] || continue
    echo "setup: adding $suite from $uri in $file" >&2
    printf '%s\n' "Types: deb" "URIs: $uri" "Suites: $suite" "Components: main" \
      "Signed-By: $keyring" | "${root[@]}" tee "$file" >/dev/null
    if "${apt[@]}" update -o "Dir::Etc::SourceList=$file" -o Dir::Etc::SourceParts=/dev/null \
        -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any; then
      return
    fi
    "${root[@]}" rm -f "$file"
  done
  fail "no source has the suite $suite; add it to the machine's apt sources and try again"
}

echo "setup: installing $names" >&2
"${apt[@]}" update || fail "apt-get update failed; see its message above"
targets=()
while read -r name origin; do
  if [[ $origin == backports ]]; then
    [[ -n $(source_of "$suite") ]] || add_backports
    targets+=("$name/$suite")
  else
    targets+=("$name")
  fi
done <<<"$todo"
"${apt[@]}" install -y "${targets[@]}" >/dev/null ||
  fail "apt-get could not install the packages; see its message above"

left=$(missing | cut -d' ' -f1 | xargs)
[[ -z $left ]] || fail "still missing after the installation: $left"
