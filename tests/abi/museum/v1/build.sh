#!/bin/sh
# build.sh PLUGIN_API: how the binaries here were made, once. Kept to show it, not to be run again.
set -eu
api=$1
cd "$(dirname "$0")"
flags="-O2 -fPIC -shared -fvisibility=hidden -I$api/include -Wl,--version-script=$api/cmake/plugin.map -Wl,-z,defs -s"
for name in museum_source museum_consumer; do
  # shellcheck disable=SC2086
  c++ -std=c++20 -fvisibility-inlines-hidden $name.cc $flags -o $name.so
done
# shellcheck disable=SC2086
cc -std=c11 museum_backend.c $flags -o museum_backend.so
