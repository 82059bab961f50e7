#!/bin/sh
# The smallest backend, consumer and source are each under 40 lines with the C++ layer.
set -eu
for kind in backend consumer source; do
  lines=$(wc -l < "$1/smallest_$kind.cc")
  echo "smallest_$kind.cc: $lines lines"
  [ "$lines" -lt 40 ]
done
