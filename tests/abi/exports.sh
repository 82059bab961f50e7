#!/bin/sh
# Every module that was built exports exactly one symbol.
set -eu
seen=0
for module in "$1"/*.so; do
  exported=$(nm -D --defined-only "$module" | awk '{print $3}')
  if [ "$exported" != sluice_module_v1 ]; then
    echo "$module: expected sluice_module_v1 as its only export, found: $exported"
    exit 1
  fi
  seen=$((seen + 1))
done
echo "$seen modules with one export each"
[ "$seen" -ge 1 ]
