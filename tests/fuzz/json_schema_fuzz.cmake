# What of plugins/validation reads schemas, data and a registry's answers, compiled with coverage.
foreach(file cache_file compiled_schema registry_answer schema_paths schema_terms)
  list(APPEND FUZZ_SOURCES ${CMAKE_SOURCE_DIR}/plugins/validation/${file}.cc)
endforeach()
# RapidJSON moves a null pointer while its stack is empty: clang calls that undefined, gcc and everybody's processor do not
# mind, and the header is not ours to mend.
set_source_files_properties(${CMAKE_SOURCE_DIR}/plugins/validation/compiled_schema.cc PROPERTIES
  COMPILE_OPTIONS -fno-sanitize=pointer-overflow)
