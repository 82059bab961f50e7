#!/bin/sh
# Installs Sluice's headers and package into a scratch folder, builds plugins from copies of their sources there (C and
# C++, by CMake and by pkg-config), makes the three projects of `plugin new`, and runs the conformance check on all of them.
#   outside.sh BUILD_FOLDER SOURCE_FOLDER SLUICE
set -eu
build=$1 source=$2 sluice=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
CMAKE_COLOR_DIAGNOSTICS=OFF

cmake --install "$build/plugin_api" --prefix "$scratch/prefix" > "$scratch/install.log" 2>&1 || {
  cat "$scratch/install.log"
  exit 1
}
mkdir "$scratch/src"
cp "$source"/tests/abi/smallest_*.cc "$source"/tests/abi/plain_c.c "$source"/tests/abi/outside/CMakeLists.txt "$scratch/src"

quietly() {
  "$@" > "$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
}
package=$(dirname "$(find "$scratch/prefix" -name sluice_plugin-config.cmake)")

quietly cmake -S "$scratch/src" -B "$scratch/build" -DCMAKE_BUILD_TYPE=Release -Dsluice_plugin_DIR="$package"
quietly cmake --build "$scratch/build" -j 2
for name in plain_c smallest_backend smallest_consumer smallest_source; do
  "$sluice" plugin check "$scratch/build/$name.so" --seed 1
done

# By hand, in C, with nothing but pkg-config.
PKG_CONFIG_PATH=$(dirname "$(find "$scratch/prefix" -name sluice-plugin.pc)")
export PKG_CONFIG_PATH
script=$(pkg-config --variable=versionscript sluice-plugin)
cc -std=c11 -Wall -Wextra -pedantic -Werror -O2 -fPIC -fvisibility=hidden -shared $(pkg-config --cflags sluice-plugin) \
  -Wl,--version-script="$script" "$scratch/src/plain_c.c" -o "$scratch/by_hand.so"
"$sluice" plugin check "$scratch/by_hand.so" --seed 1

for kind in source consumer backend; do
  project=$scratch/new_$kind
  "$sluice" plugin new "$kind" "my_$kind" "$project"
  quietly cmake -S "$project" -B "$project/build" -DCMAKE_BUILD_TYPE=Release -Dsluice_plugin_DIR="$package"
  quietly cmake --build "$project/build"
  "$sluice" plugin check "$project/build/my_$kind.so" --seed 1
  "$sluice" plugin explain "my_$kind" --path "$project/build"
done
"$sluice" plugin list --path "$scratch/build"
