# sluice_plugin_test(PLUGIN NAME): builds PLUGIN/tests/NAME_test.cc against the plugin's objects and Catch2.
find_package(Catch2 REQUIRED)
function(sluice_plugin_test PLUGIN NAME)
  add_executable(${PLUGIN}_${NAME}_test ${CMAKE_CURRENT_SOURCE_DIR}/tests/${NAME}_test.cc)
  target_link_libraries(${PLUGIN}_${NAME}_test PRIVATE sluice_catch_main ${PLUGIN}_objects)
  target_compile_definitions(${PLUGIN}_${NAME}_test PRIVATE
    SLUICE_SOURCE_DIR="${CMAKE_SOURCE_DIR}" SLUICE_BUILD_DIR="${CMAKE_BINARY_DIR}")
  add_test(NAME ${PLUGIN}.${NAME} COMMAND ${PLUGIN}_${NAME}_test)
  set_tests_properties(${PLUGIN}.${NAME} PROPERTIES TIMEOUT 120)
endfunction()
