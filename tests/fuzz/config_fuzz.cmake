# The reader and the schema check, compiled with coverage: what a configuration passes before the pure core sees it.
find_package(yaml-cpp REQUIRED)
foreach(file yaml_reader schema_check)
  list(APPEND FUZZ_SOURCES ${CMAKE_SOURCE_DIR}/host/edge/${file}.cc)
endforeach()
list(APPEND FUZZ_LIBRARIES yaml-cpp)
