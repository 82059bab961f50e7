#!/bin/sh
# Each header compiles alone, without a warning: the C ones as C11, C17, C++17 and C++20 with every compiler that is here,
# the C++ layer as C++20.
set -eu
include=$1 compiled=0
strict='-Wall -Wextra -pedantic -Werror -fsyntax-only'
for header in "$include"/sluice/*.h "$include"/sluice/ext/*.h; do
  name=${header#"$include"/}
  for compiler in gcc clang; do
    command -v $compiler > /dev/null || continue
    for standard in c11 c17 c++17 c++20; do
      language=c
      case $standard in c++*) language=c++ ;; esac
      echo "#include <$name>" | $compiler -x $language -std=$standard $strict -Wpadded -I"$include" - || {
        echo "$name does not compile alone with $compiler as $standard"
        exit 1
      }
      compiled=$((compiled + 1))
    done
  done
done
for header in "$include"/sluice/cpp/*.hh; do
  name=${header#"$include"/}
  for compiler in g++ clang++; do
    command -v $compiler > /dev/null || continue
    echo "#include <$name>" | $compiler -x c++ -std=c++20 $strict -I"$include" - || {
      echo "$name does not compile alone with $compiler"
      exit 1
    }
    compiled=$((compiled + 1))
  done
done
echo "$compiled compilations without a warning"
[ "$compiled" -ge 100 ]
