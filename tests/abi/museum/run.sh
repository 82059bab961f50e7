#!/bin/sh
# run.sh SLUICE FOLDER: the plugins in the folder were built with the headers of their day and are never built again. This
# host must take them: the conformance check passes, and a graph of all three delivers what it should.
set -eu
sluice=$1 folder=$2
case $(uname -m) in x86_64) ;; *) echo "the museum holds x86-64 binaries only"; exit 77 ;; esac
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for file in "$folder"/*.so; do "$sluice" plugin check "$file" --seed 1; done
cat > "$scratch/graph.yaml" <<END
sluice: 1
plugins: { path: ["$folder"] }
admin: { listen: "" }
sources: { numbers: { class: museum_source, config: { count: 1000 } } }
consumers: { judged: { class: museum_consumer, inputs: [numbers] } }
backends:
  lines: { class: museum_backend, inputs: [judged], config: { path: "$scratch/lines.jsonl" } }
  marks: { class: museum_backend, inputs: [judged.marks], config: { path: "$scratch/marks.jsonl" } }
END
"$sluice" run "$scratch/graph.yaml" > "$scratch/out" 2>&1 || { cat "$scratch/out"; exit 1; }
grep -q 'museum: 900 delivered, 100 rejected, in order' "$scratch/out" || { cat "$scratch/out"; exit 1; }
[ "$(wc -l < "$scratch/lines.jsonl")" = 900 ] || { echo "lines: $(wc -l < "$scratch/lines.jsonl"), wanted 900"; exit 1; }
[ "$(wc -l < "$scratch/marks.jsonl")" = 10 ] || { echo "marks: $(wc -l < "$scratch/marks.jsonl"), wanted 10"; exit 1; }
"$sluice" event check "$scratch/lines.jsonl" > /dev/null
echo "the museum of $(basename "$folder") works on this host"
