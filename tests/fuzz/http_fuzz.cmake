# The pure files of plugins/http, compiled with coverage.
foreach(file answer front handshake reply)
  list(APPEND FUZZ_SOURCES ${CMAKE_SOURCE_DIR}/plugins/http/${file}.cc)
endforeach()
